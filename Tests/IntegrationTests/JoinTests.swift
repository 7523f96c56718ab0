import Foundation
import Testing

/// A coordinator that other machines reach, and nodes that join it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct JoinTests {
    private static let name = "suanpan-agent_0.0.1_\(architecture).deb"
    private static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }

    @Test(.enabled(if: Cluster.outwardAddress != nil)) func aNodeJoinsOverTLSAndIsDrained() throws {
        let cluster = try Cluster()
        let shelf = "\(cluster.directory)/shelf"
        try FileManager.default.createDirectory(atPath: shelf, withIntermediateDirectories: true)
        try Data("no package, but bytes".utf8).write(to: URL(filePath: "\(shelf)/\(Self.name)"))
        try cluster.startCoordinator(host: "0.0.0.0", extra: ["--packages-dir", shelf])

        // The verbs of this machine find the certificate by client.yaml; without it, nobody vouches for the server.
        let file = try String(contentsOfFile: "\(cluster.directory)/client.yaml", encoding: .utf8)
        #expect(file.contains("url: https://127.0.0.1:\(cluster.httpPort)\n"))
        #expect(file.contains("ca: '\(cluster.directory)/tls/certificate.pem'"))
        let strange = cluster.suanpan(["cluster"], environment: ["SUANPAN_CA_FILE": "\(cluster.directory)/client.yaml"])
        #expect(strange.code != 0 && strange.errors.contains("SUANPAN_CA_FILE"))
        let other = try Cluster()
        try other.startCoordinator(extra: ["--tls", "on"])
        let wrong = cluster.suanpan(["cluster"], environment: ["SUANPAN_CA_FILE": "\(other.directory)/tls/certificate.pem"])
        #expect(wrong.code == 4 && wrong.errors.contains("is not trusted"), "\(wrong)")

        // What curl fetches by the line's pin is the script and the package that was offered.
        let line = cluster.suanpan("node", "token", "--center", "lab", "--pool", "a100", "--label", "rack=r1").output
        #expect(line.contains("--pinnedpubkey 'sha256//") && !line.contains("127.0.0.1"))
        let words = line.split(separator: "'").map(String.init)
        let pin = try #require(words.first { $0.hasPrefix("sha256//") })
        let url = try #require(words.first { $0.hasPrefix("https://") })
        let script = cluster.run("/usr/bin/curl", ["-fsSk", "--pinnedpubkey", pin, url])
        #expect(script.code == 0 && script.output.contains("file='\(Self.name)'"), "\(script.errors)")
        let package = cluster.run("/usr/bin/curl", ["-fsSk", "--pinnedpubkey", pin, "\(url)/\(Self.name)"])
        #expect(package.output == "no package, but bytes")
        let mistaken = "sha256//" + String(repeating: "A", count: 43) + "="
        #expect(cluster.run("/usr/bin/curl", ["-fsSk", "--pinnedpubkey", mistaken, url]).code != 0)

        // The agent joins by the token of that line alone, left in its data directory as the script does it.
        let token = try #require(words.first { $0.hasPrefix("spj_") })
        let agent = "\(cluster.directory)/agent"
        try FileManager.default.createDirectory(atPath: agent, withIntermediateDirectories: true)
        try Data("\(token)\n".utf8).write(to: URL(filePath: "\(agent)/join.token"))
        try cluster.startAgentByHandedOverToken()
        #expect(FileManager.default.contents(atPath: "\(agent)/registered") == Data("n1".utf8))
        let node = try #require(try cluster.json("node", "show", "n1") as? [String: Any])
        #expect(node["center"] as? String == "lab" && node["pool"] as? String == "a100")
        #expect((node["labels"] as? [String: String])?["rack"] == "r1")

        // What runs there is asked to end, and waits for another node.
        let job = try cluster.submit("--constraint", "center=lab", "--", "sleep", "600")
        try cluster.waitUntil("the job runs") { cluster.suanpan("show", job, "-o", "json").output.contains("\"running\"") }
        let drained = cluster.suanpan("node", "drain", "n1", "--deadline", "1s", "--wait")
        #expect(drained.code == 0, "\(drained.errors)")
        #expect((try cluster.json("node", "show", "n1") as? [String: Any])?["state"] as? String == "drained")
        #expect((try cluster.json("show", job) as? [String: Any])?["state"] as? String == "queued")
        #expect(cluster.suanpan("node", "uncordon", "n1").code == 0)
        try cluster.waitUntil("the job runs again") { cluster.suanpan("show", job, "-o", "json").output.contains("\"running\"") }
        cluster.suanpan("cancel", job)
    }
}
