// `/install`: what a new node fetches before it has anything, so without a key. It gives nothing away: a script, and the
// package that everybody has. What makes a node join is the token, which the administrator hands over.

import ClusterModel
import ClusterPorts
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

extension ControlRouter {
    static func install(_ installation: Installation) -> [Endpoint] {
        [
            Endpoint(.get, "/install", .open) { call in try await installation.script(call) },
            Endpoint(.get, "/install/{file}", .open) { call in try await installation.package(call) },
        ]
    }
}

/// What a coordinator has for machines that join.
final class Installation: Sendable {
    let interface: any InterfaceDirectory
    private let shelf: PackageShelf
    private let downloads = Atomic(0)

    /// Packages on their way to nodes at once; more are told "later".
    private static let downloadCountMax = 64

    init(packagesDirectory: String, interface: any InterfaceDirectory) {
        shelf = PackageShelf(directory: packagesDirectory)
        self.interface = interface
    }

    func packages() async throws -> [AgentPackage] { try await shelf.packages() }

    func script(_ call: Call) async throws -> Response {
        let packages = try await packages()
        guard !packages.isEmpty else {
            throw Problem(
                .notFound, "no_package", "This coordinator offers no package of the agent: its setting packages-dir says where they lie.")
        }
        guard let address = interface.current else { throw Problem.unavailable("The coordinator is starting or stopping.") }
        var response = call.json(Array(InstallScript(address: address, packages: packages).text.utf8))
        response.headers[.contentType] = "text/x-shellscript; charset=utf-8"
        return response
    }

    func package(_ call: Call) async throws -> Response {
        let name = call.parameters.get("file") ?? ""
        guard let open = try await shelf.open(name) else {
            throw Problem.notFound("There is no package '\(name.prefix(80))'. /install says which there is.")
        }
        let tag = "\"\(Hexadecimal.text(open.package.digest))\""
        let headers: HTTPFields = [
            .contentType: "application/vnd.debian.binary-package", .eTag: tag, .cacheControl: "public, no-cache",
            .reprDigest: "sha-256=:\(Data(open.package.digest).base64EncodedString()):",
        ]
        if call.request.headers[.ifNoneMatch]?.contains(tag) == true { return Response(status: .notModified, headers: headers) }
        let place = try DownloadPlace(self)
        let size = open.package.sizeBytes
        let body = ResponseBody(contentLength: Int(size)) { writer in
            defer { withExtendedLifetime(place) {} }
            var offset: Int64 = 0
            while offset < size {
                // A file that shrinks under us breaks the connection: the client sees that bytes are missing.
                guard let chunk = try await open.read(from: offset), !chunk.isEmpty else { throw ChannelError.eof }
                let rest = chunk.prefix(Int(min(Int64(chunk.count), size - offset)))
                try await writer.write(ByteBuffer(bytes: rest))
                offset += Int64(rest.count)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// Held as long as the answer lives, sent or not.
    private final class DownloadPlace: Sendable {
        private let installation: Installation

        init(_ installation: Installation) throws(Problem) {
            self.installation = installation
            let count = installation.downloads.add(1, ordering: .relaxed).newValue
            guard count <= Installation.downloadCountMax else {
                throw .tooMany("too_many_downloads", "Many nodes are fetching the package: try again.", retryAfter: .seconds(5))
            }
        }

        deinit { installation.downloads.subtract(1, ordering: .relaxed) }
    }
}

extension HTTPField.Name {
    /// RFC 9530.
    static let reprDigest = HTTPField.Name("Repr-Digest")!
}

extension InterfaceAddress.Certificate {
    /// As `curl --pinnedpubkey` takes it.
    var curlPin: String { "sha256//" + Data(pin).base64EncodedString() }
}

/// The line to paste on a new node, or what keeps it from working.
enum JoinCommand {
    case line(String)
    case impossible(String)

    /// No secret is an argument of a process: `echo` is the shell's own. The script lies under a name that nobody else could take.
    init(token: JoinToken, address: InterfaceAddress, packages: [AgentPackage]) {
        guard !packages.isEmpty else {
            self = .impossible(
                "the coordinator offers no package of the agent: put it into its packages-dir, or install suanpan-agent on the node by hand"
            )
            return
        }
        let fetch: String
        if let certificate = address.certificate {
            fetch = "curl -fsSk --pinnedpubkey '\(certificate.curlPin)' '\(address.url)/install'"
        } else if Loopback.isName(address.host) {
            fetch = "curl -fsS '\(address.url)/install'"
        } else {
            self = .impossible(
                "the coordinator's interface has no TLS of its own (tls: off), so a node could not tell what it fetches from there; install suanpan-agent on it by hand"
            )
            return
        }
        self = .line("f=$(mktemp) && \(fetch) -o \"$f\" && echo '\(token.text)' | sudo sh \"$f\"")
    }
}
