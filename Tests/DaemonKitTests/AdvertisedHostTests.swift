import ClusterPorts
import DaemonKit
import Testing

/// How other machines are told to reach this one.
@Suite struct AdvertisedHostTests {
    @Test func loopbackStaysWhatItIs() throws {
        let named = try AdvertisedHost("node.example")
        for host in ["127.0.0.1", "localhost", "::1"] { #expect(named.host(for: host) == host) }
    }

    @Test func whatIsGivenWins() throws {
        let named = try AdvertisedHost("node.example")
        #expect(named.host(for: "0.0.0.0") == "node.example" && named.host(for: "10.0.0.5") == "node.example")
        #expect(named.endpoint(for: "tcp://0.0.0.0:8471") == "tcp://node.example:8471")
        #expect(try AdvertisedHost("[fd00::7]").endpoint(for: "tcp://[::]:8471") == "tcp://[fd00::7]:8471")
    }

    @Test func onlyWildcardsAreFilledIn() throws {
        let found = try AdvertisedHost(nil)
        #expect(found.host(for: "10.0.0.5") == "10.0.0.5")
        for wildcard in ["0.0.0.0", "::", "*"] { #expect(!AdvertisedHost.isWildcard(found.host(for: wildcard))) }
        let endpoints = found.endpoints(
            for: AgentEndpoints(agents: "tcp://0.0.0.0:1", enrollment: "tcp://127.0.0.1:2", logs: "tcp://[::]:3", publicKey: [7]))
        #expect(!endpoints.agents.contains("0.0.0.0") && endpoints.agents.hasSuffix(":1"))
        #expect(endpoints.enrollment == "tcp://127.0.0.1:2" && endpoints.publicKey == [7])
        #expect(!endpoints.logs.contains("[::]"))
    }

    @Test func anIPv4AddressOfAnIPv6SocketIsTakenForWhatItIs() throws {
        let found = try AdvertisedHost(nil)
        #expect(found.endpoint(for: "tcp://[::ffff:10.0.0.5]:8471") == "tcp://10.0.0.5:8471")
        #expect(found.endpoint(for: "tcp://[::ffff:127.0.0.1]:8471") == "tcp://127.0.0.1:8471")
        #expect(!found.endpoint(for: "tcp://[::ffff:0.0.0.0]:8471").contains("0.0.0.0"))
    }

    @Test(arguments: ["", "a b", "a'b", "http://a", "$(id)", "a/b"]) func whatIsNoHostIsRefused(text: String) {
        #expect(throws: StartError.self) { try AdvertisedHost(text) }
    }
}
