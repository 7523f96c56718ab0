import AsyncHTTPClient
import ClusterModel
import ContentFiles
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Speaks to the coordinator's file interface for one attempt, and to whatever address a job names as a source.
struct FileClient: Sendable {
    /// Where, and which certificate to expect.
    struct Service: Hashable, Sendable {
        /// `http(s)://host:port`.
        var url: String
        /// PEM of the only one to accept; empty: the system's authorities judge.
        var certificate: [UInt8]
    }

    let service: Service
    private let coordinator: HTTPClient
    private let others: HTTPClient

    /// An answer's header, and between the parts of its body.
    private static let patience = TimeAmount.seconds(60)

    init(_ service: Service) throws {
        self.service = service
        let group = MultiThreadedEventLoopGroup.singleton
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: .seconds(10), read: Self.patience)
        configuration.httpVersion = .http1Only
        others = HTTPClient(eventLoopGroup: group, configuration: configuration)
        configuration.redirectConfiguration = .disallow
        if !service.certificate.isEmpty {
            var tls = TLSConfiguration.makeClientConfiguration()
            // This very certificate and no other: its name says nothing more.
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(service.certificate))
            tls.certificateVerification = .noHostnameVerification
            configuration.tlsConfiguration = tls
        }
        coordinator = HTTPClient(eventLoopGroup: group, configuration: configuration)
    }

    func shutdown() async {
        try? await coordinator.shutdown()
        try? await others.shutdown()
    }

    // MARK: Coming

    /// Appends to the open file what is missing of the content, and checks the whole.
    func fetch(_ digest: ContentDigest, pass: String, into descriptor: Int32) async throws {
        var request = HTTPClientRequest(url: "\(service.url)/v1/blobs/\(digest)")
        request.headers.add(name: "Authorization", value: "Bearer \(pass)")
        try await receive(request, with: coordinator, into: descriptor, isCoordinator: true)
        _ = lseek(descriptor, 0, SEEK_SET)
        guard try ContentHash.digest(of: descriptor).digest == digest else {
            _ = ftruncate(descriptor, 0)
            throw StagingError("content \(digest) arrived damaged", isLasting: false)
        }
    }

    /// What is at an address that a job named, as it is now.
    func fetch(url: String, into descriptor: Int32) async throws {
        try await receive(HTTPClientRequest(url: url), with: others, into: descriptor, isCoordinator: false)
    }

    private func receive(
        _ request: HTTPClientRequest, with client: HTTPClient, into descriptor: Int32, isCoordinator: Bool
    ) async throws {
        var request = request
        let present = isCoordinator ? Int64(lseek(descriptor, 0, SEEK_END)) : 0
        if present > 0 { request.headers.add(name: "Range", value: "bytes=\(present)-") }
        let response = try await Self.transport { try await client.execute(request, deadline: .distantFuture) }
        let place = isCoordinator ? "the coordinator" : request.url
        if response.status == .rangeNotSatisfiable { _ = ftruncate(descriptor, 0) }
        try Self.check(response.status, place)
        if response.status == .ok, present > 0 { _ = ftruncate(descriptor, 0) }
        _ = lseek(descriptor, 0, SEEK_END)
        try await Self.transport {
            for try await part in response.body {
                let isWritten = part.withUnsafeReadableBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count }
                guard isWritten else { throw AccountFiles.problem("the node's disk takes no more") }
            }
        }
    }

    // MARK: Going

    /// Sends a file's content unless it is there already.
    func send(_ digest: ContentDigest, size: Int64, pass: String, from descriptor: Int32) async throws {
        _ = lseek(descriptor, 0, SEEK_SET)
        var request = HTTPClientRequest(url: "\(service.url)/v1/blobs/\(digest)")
        request.method = .PUT
        request.headers.add(name: "Authorization", value: "Bearer \(pass)")
        request.body = size == 0 ? .bytes(ByteBuffer()) : .stream(FileParts(descriptor, size: size), length: .known(size))
        let sent = request
        let response = try await Self.transport { try await coordinator.execute(sent, deadline: .distantFuture) }
        _ = try? await response.body.collect(upTo: 1 << 20)
        if response.status == .unprocessableEntity {
            throw StagingError("a file changed while it was being kept", isLasting: true)
        }
        try Self.check(response.status, "the coordinator")
    }

    /// The digests that are missing; empty when the tree is kept.
    func keep(_ tree: [UInt8], digest: ContentDigest, pass: String) async throws -> [ContentDigest] {
        let body = try await put("/v1/trees/\(digest)", tree, type: "text/plain", pass: pass)
        // The answer is our own coordinator's: digests are the only texts of 64 digits in its list.
        guard let start = body.firstRange(of: #""missing":["#) else { return [] }
        return body[start.upperBound...].prefix { $0 != "]" }.split(separator: ",").compactMap {
            ContentDigest(parsing: $0.trimmingPrefix("\"").prefix { $0 != "\"" })
        }
    }

    func keepOutputs(_ tree: ContentDigest, of attempt: AttemptID, pass: String) async throws {
        _ = try await put(
            "/v1/attempts/\(attempt)/outputs", Array(#"{"tree":"\#(tree)"}"#.utf8), type: "application/json", pass: pass)
    }

    private func put(_ path: String, _ bytes: [UInt8], type: String, pass: String) async throws -> String {
        var request = HTTPClientRequest(url: service.url + path)
        request.method = .PUT
        request.headers.add(name: "Authorization", value: "Bearer \(pass)")
        request.headers.add(name: "Content-Type", value: type)
        request.body = .bytes(ByteBuffer(bytes: bytes))
        let sent = request
        return try await Self.transport {
            let response = try await coordinator.execute(sent, deadline: .distantFuture)
            let body = try await response.body.collect(upTo: 128 << 20)
            try Self.check(response.status, "the coordinator")
            return String(buffer: body)
        }
    }

    // MARK: Outcomes

    private static func check(_ status: HTTPResponseStatus, _ place: String) throws {
        switch status.code {
        case 200..<300: return
        case 401, 403:
            throw StagingError(
                place == "the coordinator" ? "the coordinator no longer knows this attempt" : "\(place) answered \(status)")
        case 404: throw StagingError(place == "the coordinator" ? "the coordinator no longer has a file" : "\(place) answered \(status)")
        case 408, 409, 416, 429, 500...599: throw StagingError("\(place) answered \(status)", isLasting: status.code == 507)
        default: throw StagingError("\(place) answered \(status)")
        }
    }

    /// What the network did may pass.
    private static func transport<Result>(_ body: () async throws -> Result) async throws -> Result {
        do { return try await body() } catch let error as StagingError { throw error } catch let error as CancellationError {
            throw error
        } catch let error as FileReadError {
            throw StagingError("a file changed while it was being kept: \(error)")
        } catch let error as HTTPClientError where error == .cancelled {
            throw CancellationError()
        } catch let error as HTTPClientError
            where [.invalidURL, .emptyScheme, .emptyHost, .redirectLimitReached].contains(error)
        {
            throw StagingError("\(error)")
        } catch { throw StagingError("\(error)", isLasting: false) }
    }
}
