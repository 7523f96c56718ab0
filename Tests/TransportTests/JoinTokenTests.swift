import ClusterPorts
import Testing

/// The text that an administrator hands over.
@Suite("Join tokens")
struct JoinTokenTests {
    private static let endpoints = AgentEndpoints(
        agents: "tcp://10.0.0.1:8471", enrollment: "tcp://10.0.0.1:8472", logs: "tcp://10.0.0.1:8473",
        publicKey: [UInt8](repeating: 3, count: 32))
    private static let token = JoinToken(
        id: [UInt8](repeating: 1, count: 16), secret: [UInt8](repeating: 2, count: 32), endpoints: endpoints,
        interface: JoinToken.Interface(url: "https://10.0.0.1:8470", pin: [UInt8](repeating: 4, count: 32), packageDigest: []))

    private static let firstVersion =
        "spj_ARABAQEBAQEBAQEBAQEBAQEBIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICE3RjcDovLzEwLjAuMC4xOjg0NzETdGNwOi8vMT"
        + "AuMC4wLjE6ODQ3MhN0Y3A6Ly8xMC4wLjAuMTo4NDczIAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD"
    private static let secondVersion =
        "spj_AhABAQEBAQEBAQEBAQEBAQEBIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICE3RjcDovLzEwLjAuMC4xOjg0NzETdGNwOi8vMT"
        + "AuMC4wLjE6ODQ3MhN0Y3A6Ly8xMC4wLjAuMTo4NDczIAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDARVodHRwczovLzEwLjAuMC4x"
        + "Ojg0NzAgBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQA"

    @Test("its text never changes, and comes back as it was")
    func golden() {
        #expect(Self.token.text == Self.secondVersion)
        #expect(JoinToken(parsing: " \(Self.secondVersion)\n") == Self.token)
    }

    @Test("a token of the first version is still read; it says nothing of the interface")
    func firstVersion() {
        var older = Self.token
        older.interface = nil
        #expect(JoinToken(parsing: Self.firstVersion) == older)
    }

    @Test("what is cut, prolonged or of a wrong size is none")
    func malformed() {
        for text in ["", "spj_", "spk_AAAA", String(Self.secondVersion.dropLast(4)), Self.secondVersion + "AAAA", "spj_!!!!"] {
            #expect(JoinToken(parsing: text) == nil)
        }
        var token = Self.token
        token.interface?.pin = [1, 2, 3]
        #expect(JoinToken(parsing: token.text) == nil)
    }
}
