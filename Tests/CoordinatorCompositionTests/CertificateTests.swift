import ClusterPorts

import DaemonKit
import Foundation
import Logging
import SwiftASN1
import Testing
import X509

@testable import ControlAPI
@testable import CoordinatorComposition

/// The certificate that a coordinator makes for itself, and the one that it is given.
@Suite struct CertificateTests {
    /// A directory of its own, gone with the test.
    private final class Directory {
        let path = NSTemporaryDirectory() + "suanpan-certificate-\(UUID().uuidString)"
        var files: SelfSignedCertificate.Files { SelfSignedCertificate.files(in: path) }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
    }

    private static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    @Test func itIsMadeOnceAndTheKeyIsItsOwnersAlone() throws {
        let directory = Directory()
        #expect(try SelfSignedCertificate.provide(directory.files, hosts: ["a"]))
        let first = try directory.text(directory.files.certificate)
        #expect(try !SelfSignedCertificate.provide(directory.files, hosts: ["b"]))
        #expect(try directory.text(directory.files.certificate) == first)
        #expect(try directory.mode(directory.files.key) == 0o600)
        #expect(try directory.mode(directory.files.certificate) == 0o644)
    }

    @Test func aHalfOfThePairIsMadeWholeAnew() throws {
        let directory = Directory()
        _ = try SelfSignedCertificate.provide(directory.files, hosts: ["a"])
        try FileManager.default.removeItem(atPath: directory.files.key)
        #expect(try SelfSignedCertificate.provide(directory.files, hosts: ["a"]))
        _ = try ServerIdentity(certificateFile: directory.files.certificate, keyFile: directory.files.key)
    }

    @Test func itNamesTheHostsLastsTenYearsAndVouchesForNoOther() throws {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let (pem, _) = try SelfSignedCertificate.make(hosts: ["node.example", "192.0.2.7", "fd00::7"], now: now)
        let certificate = try Certificate(pemEncoded: pem)
        let names = try #require(try certificate.extensions.subjectAlternativeNames)
        let texts = names.map { "\($0)" }
        #expect(texts.first == #"DNSName("node.example")"# && texts.dropFirst().first == "IPAddress([192, 0, 2, 7])")
        #expect(texts.last?.hasPrefix("IPAddress([253, 0, ") == true && texts.last?.hasSuffix(", 7])") == true)
        #expect(names.count == 3)
        #expect(try certificate.extensions.basicConstraints == .notCertificateAuthority)
        #expect(certificate.notValidBefore < now && certificate.notValidAfter > now + 9.9 * 365 * 86_400)
    }

    @Test func aPairThatDoesNotBelongTogetherIsRefused() throws {
        let (one, other) = (Directory(), Directory())
        for directory in [one, other] { _ = try SelfSignedCertificate.provide(directory.files, hosts: ["a"]) }
        let error = #expect(throws: ControlServerError.self) {
            try ServerIdentity(certificateFile: one.files.certificate, keyFile: other.files.key)
        }
        #expect(error?.code == .certificate)
        #expect(throws: ControlServerError.self) {
            try ServerIdentity(certificateFile: one.files.key, keyFile: one.files.certificate)
        }
        #expect(throws: ControlServerError.self) { try ServerIdentity(certificateFile: "/nonexistent", keyFile: one.files.key) }
    }

    @Test func aBrokenRenewalLeavesTheOldOneAndAWholeOneReplacesIt() throws {
        let (directory, renewed) = (Directory(), Directory())
        for place in [directory, renewed] { _ = try SelfSignedCertificate.provide(place.files, hosts: ["a"]) }
        let identity = try ServerIdentity(certificateFile: directory.files.certificate, keyFile: directory.files.key)
        let interface = ServedInterface(host: "a", identity: identity)
        interface.listens(on: 1)
        let before = try #require(interface.current?.certificate)
        let watch = CertificateWatch(files: directory.files, interface: interface, logger: Self.quiet)
        try renewed.text(renewed.files.certificate).write(toFile: directory.files.certificate, atomically: true, encoding: .utf8)
        #expect(!watch.reload())
        #expect(interface.current?.certificate == before)
        try renewed.text(renewed.files.key).write(toFile: directory.files.key, atomically: true, encoding: .utf8)
        #expect(watch.reload())
        let after = try #require(interface.current?.certificate)
        #expect(after.pin != before.pin)
        let served = try renewed.text(renewed.files.certificate)
        #expect(after.pem == served)
    }
}
