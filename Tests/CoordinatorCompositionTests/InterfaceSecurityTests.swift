import DaemonKit
import Testing

@testable import CoordinatorComposition

/// When the REST interface speaks TLS, and with what.
@Suite struct InterfaceSecurityTests {
    private static func security(
        _ tls: String?, certificate: String? = nil, key: String? = nil, isLoopback: Bool
    ) throws -> InterfaceSecurity {
        try InterfaceSecurity(tls: tls, certificate: certificate, key: key, isLoopback: isLoopback)
    }

    @Test func onLoopbackItIsPlainUnlessAskedFor() throws {
        #expect(try Self.security(nil, isLoopback: true) == .plain)
        #expect(try Self.security("auto", isLoopback: true) == .plain)
        #expect(try Self.security("off", isLoopback: true) == .plain)
        #expect(try Self.security("on", isLoopback: true) == .ownCertificate)
        #expect(try Self.security(nil, certificate: "c", key: "k", isLoopback: true) == .files(certificate: "c", key: "k"))
    }

    @Test func offLoopbackItIsOnUnlessAProxyIsNamed() throws {
        #expect(try Self.security(nil, isLoopback: false) == .ownCertificate)
        #expect(try Self.security("on", certificate: "c", key: "k", isLoopback: false) == .files(certificate: "c", key: "k"))
        #expect(try Self.security("off", isLoopback: false) == .plainBehindProxy)
    }

    @Test func whatContradictsItselfIsRefused() {
        for (tls, certificate, key) in [("auto", "c", nil), ("on", nil, "k"), ("off", "c", "k"), ("yes", nil, nil)]
            as [(String, String?, String?)]
        {
            #expect(throws: StartError.self) { try Self.security(tls, certificate: certificate, key: key, isLoopback: false) }
        }
    }
}
