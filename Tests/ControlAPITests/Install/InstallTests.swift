import ClusterModel
import ClusterPorts
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SchedulingCore
import Testing

@testable import ControlAPI

/// What a machine that joins fetches.
@Suite("Joining")
struct InstallTests {
    private static let name = "suanpan-agent_0.1.0_\(AgentPackage.ownArchitecture).deb"

    /// A directory with packages, gone with the test.
    private final class Shelf: Sendable {
        let path = NSTemporaryDirectory() + "suanpan-shelf-\(UUID().uuidString)"

        init(_ files: [String: [UInt8]]) throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for (name, bytes) in files { try Data(bytes).write(to: URL(filePath: path + "/" + name)) }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    private static var digest: String { Hexadecimal.text(Array(SHA256.hash(data: bytes))) }

    private static let pinned = InterfaceAddress(
        host: "node.example", port: 8470, certificate: InterfaceAddress.Certificate(pem: "", pin: [UInt8](repeating: 1, count: 32)))

    private static let package = AgentPackage(
        name: name, version: "0.1.0", architecture: AgentPackage.ownArchitecture, sizeBytes: 1, digest: [UInt8](repeating: 2, count: 32))

    private static let token = JoinToken(
        id: [UInt8](repeating: 1, count: 16), secret: [UInt8](repeating: 2, count: 32),
        endpoints: AgentEndpoints(agents: "", enrollment: "", logs: "", publicKey: [UInt8](repeating: 3, count: 32)))

    @Test("script and package need no key, and agree on the package's digest")
    func served() async throws {
        let shelf = try Shelf([Self.name: Self.bytes])
        try await Interface.run(packages: shelf.path) { interface async throws in
            let script = try await interface.get("/install", as: nil)
            #expect(script.status == .ok && script.headers[.contentType] == "text/x-shellscript; charset=utf-8")
            #expect(script.text.contains("digest='\(Self.digest)'") && script.text.contains("file='\(Self.name)'"))
            let package = try await interface.get("/install/\(Self.name)", as: nil)
            #expect(Array(package.body.readableBytesView) == Self.bytes)
            #expect(package.headers[.eTag] == "\"\(Self.digest)\"")
            let sum = Data(SHA256.hash(data: Self.bytes)).base64EncodedString()
            #expect(package.headers[.reprDigest] == "sha-256=:\(sum):")
            let known = try await interface.get("/install/\(Self.name)", as: nil, headers: [.ifNoneMatch: "\"\(Self.digest)\""])
            #expect(known.status == .notModified)
        }
    }

    @Test("a package that is replaced has its new digest at once")
    func replaced() async throws {
        let shelf = try Shelf([Self.name: Self.bytes])
        try await Interface.run(packages: shelf.path) { interface async throws in
            _ = try await interface.get("/install", as: nil)
            try Data([1, 2, 3]).write(to: URL(filePath: shelf.path + "/" + Self.name), options: .atomic)
            let digest = Hexadecimal.text(Array(SHA256.hash(data: [1, 2, 3] as [UInt8])))
            #expect(try await interface.get("/install", as: nil).text.contains(digest))
        }
    }

    @Test(
        "what is not listed does not exist",
        arguments: ["..%2F..%2Fetc%2Fpasswd", "secret.txt", "suanpan-agent_0.1.0_%61md64.deb%00", "suanpan-agent_1_x;id.deb", "."])
    func onlyWhatIsListed(_ file: String) async throws {
        let shelf = try Shelf([Self.name: Self.bytes, "secret.txt": [1]])
        try await Interface.run(packages: shelf.path) { interface async throws in
            let reply = try await interface.get("/install/\(file)", as: nil)
            #expect(reply.status != .ok)
        }
    }

    @Test("names that are no package of the agent, or no plain words")
    func names() {
        #expect(AgentPackage.parts(ofName: "suanpan-agent_0.1.0+git~1-2_arm64.deb")?.version == "0.1.0+git~1-2")
        for name in [
            "suanpan_0.1.0_amd64.deb", "suanpan-agent_0.1.0.deb", "suanpan-agent__amd64.deb", "suanpan-agent_1_a'b.deb",
            "suanpan-agent_$(id)_amd64.deb", "suanpan-agent_1_amd64.deb\n", "../suanpan-agent_1_amd64.deb", "suanpan-agent_1_2_amd64.deb",
        ] {
            #expect(AgentPackage.parts(ofName: name) == nil, "\(name)")
        }
    }

    @Test("a coordinator without packages says where they go, and gives the bare token")
    func nothingOffered() async throws {
        try await Interface.run { interface async throws in
            #expect(try await interface.get("/install", as: nil).json()["code"] == .string("no_package"))
            let reply = try await interface.post("/v1/nodes/tokens", as: .admin).json()
            #expect(reply["command"] == .null && reply["token"]?.text?.hasPrefix("spj_") == true)
            #expect(reply["commandProblem"]?.text?.contains("packages-dir") == true)
        }
    }

    @Test("a token's line, and what the token itself says of the interface")
    func tokenLine() async throws {
        let shelf = try Shelf([Self.name: Self.bytes])
        try await Interface.run(packages: shelf.path) { interface async throws in
            let body = #"{"center": "lab", "pool": "a100", "labels": {"rack": "r1"}}"#
            let reply = try await interface.post("/v1/nodes/tokens", body, as: .admin).json()
            let token = try #require(JoinToken(parsing: reply["token"]?.text ?? ""))
            #expect(token.interface?.url == "http://127.0.0.1:8470" && token.interface?.pin == [])
            #expect(token.interface?.packageDigest == Array(SHA256.hash(data: Self.bytes)))
            #expect(reply["command"]?.text?.contains("'http://127.0.0.1:8470/install'") == true)
            guard case .createJoinToken(let record) = interface.plane.commands[0] else { return #expect(Bool(false)) }
            #expect(record.membership == NodeMembership(center: Center(id: "lab"), pool: "a100", labels: [NamedText("rack", "r1")]))
            #expect(reply["center"] == .string("lab") && reply["labels"]?["rack"] == .string("r1"))
        }
    }

    @Test("the line pins the certificate, and only the shell's own words carry the token")
    func line() {
        guard case .line(let line) = JoinCommand(token: Self.token, address: Self.pinned, packages: [Self.package]) else {
            return #expect(Bool(false))
        }
        let pin = "sha256//" + Data([UInt8](repeating: 1, count: 32)).base64EncodedString()
        #expect(
            line
                == "f=$(mktemp) && curl -fsSk --pinnedpubkey '\(pin)' 'https://node.example:8470/install' -o \"$f\" && echo '\(Self.token.text)' | sudo sh \"$f\""
        )
    }

    @Test("without TLS off loopback there is no line")
    func plain() {
        let address = InterfaceAddress(host: "10.0.0.1", port: 8470, certificate: nil)
        guard case .impossible(let reason) = JoinCommand(token: Self.token, address: address, packages: [Self.package]) else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("TLS"))
    }

    @Test("the script is one that a shell reads, refuses to run without root or token, and shellcheck finds nothing")
    func script() throws {
        let other = AgentPackage(
            name: "suanpan-agent_0.1.0_other.deb", version: "0.1.0", architecture: "other", sizeBytes: 1,
            digest: [UInt8](repeating: 4, count: 32))
        let text = InstallScript(address: Self.pinned, packages: [Self.package, other]).text
        let shelf = try Shelf(["join": Array(text.utf8)])
        #expect(try Self.run("/bin/sh", ["-n", shelf.path + "/join"]).code == 0)
        if FileManager.default.isExecutableFile(atPath: "/usr/bin/shellcheck") {
            let found = try Self.run("/usr/bin/shellcheck", ["--shell=sh", shelf.path + "/join"])
            #expect(found.code == 0, "\(found.output)")
        }
        // Cut short anywhere before its last word, it does nothing.
        let cut = try Shelf(["join": Array(text.utf8.dropLast(10))])
        let half = try Self.run("/bin/sh", [cut.path + "/join"])
        #expect(!half.output.contains("suanpan-join:"))
        let refused = try Self.run("/bin/sh", [shelf.path + "/join"])
        #expect(refused.code == 1 && refused.output.contains("suanpan-join: "))
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
