import ClusterPorts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import ControlAPI
@testable import CoordinatorComposition

/// Real handshakes over loopback.
@Suite("TLS", .serialized, .timeLimit(.minutes(1)))
struct TLSTests {
    /// A certificate of its own, in memory.
    private struct Pair {
        let identity: ServerIdentity
        let pem: String

        init() throws {
            let directory = FileManager.default.temporaryDirectory.appending(path: "suanpan-tls-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: directory) }
            let files = SelfSignedCertificate.files(in: directory.path)
            _ = try SelfSignedCertificate.provide(files, hosts: ["localhost", "127.0.0.1"])
            identity = try ServerIdentity(certificateFile: files.certificate, keyFile: files.key)
            pem = identity.certificatePEM
        }
    }

    /// The first bytes of the answer to a request; throws what kept the handshake from coming about.
    private static func ask(port: Int, trusting pem: String, newest: TLSVersion? = nil) async throws -> String {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
        tls.maximumTLSVersion = newest
        let context = try NIOSSLContext(configuration: tls)
        let first = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    try channel.pipeline.syncOperations.addHandler(FirstBytes(first))
                }
            }.connect(host: "127.0.0.1", port: port).get()
        channel.writeAndFlush(ByteBuffer(string: "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"), promise: nil)
        defer { channel.close(promise: nil) }
        return try await first.futureResult.get()
    }

    private final class FirstBytes: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var promise: EventLoopPromise<String>?

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            promise?.succeed(String(buffer: unwrapInboundIn(data)))
            promise = nil
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise?.fail(error)
            promise = nil
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise?.fail(ChannelError.eof)
            promise = nil
        }
    }

    @Test("who trusts the certificate is answered; who trusts another is not, nor who speaks an old version")
    func handshake() async throws {
        let (pair, other) = (try Pair(), try Pair())
        let serving = ServedInterface(host: "127.0.0.1", identity: pair.identity)
        try await Interface.runServer(serving) { port async throws in
            #expect(try await Self.ask(port: port, trusting: pair.pem).hasPrefix("HTTP/1.1 200"))
            await #expect(throws: (any Error).self) { try await Self.ask(port: port, trusting: other.pem) }
            await #expect(throws: (any Error).self) { try await Self.ask(port: port, trusting: pair.pem, newest: .tlsv11) }
        }
    }

    @Test("a certificate that is replaced serves the next connection")
    func replaced() async throws {
        let (pair, next) = (try Pair(), try Pair())
        let serving = ServedInterface(host: "127.0.0.1", identity: pair.identity)
        try await Interface.runServer(serving) { port async throws in
            #expect(try await Self.ask(port: port, trusting: pair.pem).hasPrefix("HTTP/1.1 200"))
            serving.replace(next.identity)
            #expect(try await Self.ask(port: port, trusting: next.pem).hasPrefix("HTTP/1.1 200"))
            await #expect(throws: (any Error).self) { try await Self.ask(port: port, trusting: pair.pem) }
        }
    }

    @Test("a handshake that never comes ends the connection, and until then holds a place like any other")
    func noHandshake() async throws {
        let pair = try Pair()
        let serving = ServedInterface(host: "127.0.0.1", identity: pair.identity)
        try await Interface.runServer(serving, connections: 8, handshakeTimeout: .milliseconds(200)) { port async throws in
            let silent = try RawConnection(port: port)
            #expect(silent.receive().isEmpty)
            let many = try (0..<32).map { _ in try RawConnection(port: port) }
            #expect(try await Self.ask(port: port, trusting: pair.pem).hasPrefix("HTTP/1.1 200"))
            #expect(many.count == 32)
        }
    }

    @Test("over TLS, a page that came without it is another origin")
    func origin() async throws {
        let serving = ServedInterface(host: "127.0.0.1", identity: try Pair().identity)
        try await Interface.run(serving: serving) { interface async throws in
            #expect(try await interface.get("/v1/jobs", headers: [.origin: "https://localhost"]).status == .ok)
            #expect(try await interface.get("/v1/jobs", headers: [.origin: "http://localhost"]).status == .forbidden)
        }
    }
}
