import FileTestKit
import NIOSSL
import Testing

@testable import ControlCommands

/// Whom a client believes to be its coordinator.
@Suite("Certificates that clients trust")
struct TrustTests {
    /// Says of itself that it may vouch for no other.
    private static let leaf = """
        -----BEGIN CERTIFICATE-----
        MIIBlTCCATygAwIBAgIUPfBxYg0URocMykdmcNlBPEPnjcswCgYIKoZIzj0EAwIw
        FjEUMBIGA1UEAwwLY29vcmRpbmF0b3IwIBcNMjYxMTIxMjEyMTQyWhgPMjEyNjEw
        MjgyMTIxNDJaMBYxFDASBgNVBAMMC2Nvb3JkaW5hdG9yMFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAE3w/S7ab7E8JT2qxPZgPrzbgFq9Qae3wX32cwofKJsd4QTyx+
        c5RRqCKmcEomz1SQKGXnbR8O0q+5va9uIM6iZaNmMGQwHQYDVR0OBBYEFNyJZbiM
        r4zh0qPdDhM5fx1kvcdCMB8GA1UdIwQYMBaAFNyJZbiMr4zh0qPdDhM5fx1kvcdC
        MAwGA1UdEwEB/wQCMAAwFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMC
        A0cAMEQCIG9VVWE4h1gYNBNITbAZMU4n46ybKL5h83u0JkzdNQmkAiBo70nNHh1i
        eCxCt4r8dCKQkfPfcbPcwktZIH/4RusXdg==
        -----END CERTIFICATE-----
        """
    private static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBfzCCASWgAwIBAgIURD8fgI2s/0K1Esa5Zx+6q33E1XowCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJYXV0aG9yaXR5MCAXDTI2MTEyMTIxMjE0MloYDzIxMjYxMDI4
        MjEyMTQyWjAUMRIwEAYDVQQDDAlhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAQRkMBJrYBjnEUgSHkqUDdVvIYMS/kpkbHnmoyjtRegNElTzdqtr+pz
        T/Nmuj+9/YDNS/KQDc6diKUuS5/uHmkJo1MwUTAdBgNVHQ4EFgQUj3WMkkVv0ZG4
        0VL4+n5NJHG12oAwHwYDVR0jBBgwFoAUj3WMkkVv0ZG40VL4+n5NJHG12oAwDwYD
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiARZFDUnQXw+p9Ij86e2+jZ
        Wen1m6Vdy2HGRfWDZMl6yQIhALLJ8JzTGnccm71B0kRYx4LFp2ponTWzqGAb0t3O
        SeLZ
        -----END CERTIFICATE-----
        """

    private static func trust(_ text: String) throws -> TrustedCertificates {
        let directory = try TemporaryDirectory()
        try directory.write("ca.pem", text, mode: 0o644)
        return try TrustedCertificates(file: directory.path + "/ca.pem")
    }

    @Test("the server's own certificate is known by its key, whatever the name; beside an authority the name counts")
    func names() throws {
        #expect(try Self.trust(Self.leaf).tls.certificateVerification == .noHostnameVerification)
        #expect(try Self.trust(Self.authority).tls.certificateVerification == .fullVerification)
        #expect(try Self.trust(Self.leaf + "\n" + Self.authority).tls.certificateVerification == .fullVerification)
    }

    @Test("a file without a certificate names the variable to set", arguments: ["", "no certificate"])
    func nothing(_ text: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try Self.trust(text) }
        #expect(failure.text.contains("SUANPAN_CA_FILE"))
    }

    @Test("a file that is not there fails the request, not the reading of the configuration")
    func missing() async throws {
        let configuration = ClientConfiguration(url: "https://127.0.0.1:1", key: nil, certificateFile: "/nonexistent.pem")
        let client = CoordinatorClient(configuration: configuration)
        let failure = try await #require(throws: CommandFailure.self) { try await client.get("/v1/cluster") }
        #expect(failure.text.contains("/nonexistent.pem"))
    }

    @Test("ca of client.yaml, over which the environment wins")
    func configuration() throws {
        let directory = try TemporaryDirectory()
        try directory.write("client.yaml", "url: https://127.0.0.1:8470\nca: '/a b/it''s.pem'\nkey: sp_x\n", mode: 0o600)
        let plain = try ClientConfiguration.resolve(dataDirectory: directory.path, environment: [:])
        #expect(plain.certificateFile == "/a b/it's.pem")
        let set = try ClientConfiguration.resolve(dataDirectory: directory.path, environment: ["SUANPAN_CA_FILE": "/other.pem"])
        #expect(set.certificateFile == "/other.pem" && set.key == "sp_x")
        let apart = try ClientConfiguration.resolve(
            dataDirectory: nil, environment: ["SUANPAN_URL": "https://h:1", "SUANPAN_CA_FILE": "/other.pem"])
        #expect(apart.certificateFile == "/other.pem")
    }
}
