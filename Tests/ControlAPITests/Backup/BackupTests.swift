import ClusterPorts
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ControlAPI

@Suite("Backups")
struct BackupTests {
    @Test("the archive goes out as it comes; output only when asked for")
    func archive() async throws {
        try await Interface.run { interface in
            let plain = try await interface.get("/v1/backup", as: .admin)
            #expect(plain.status == .ok && plain.text == "journal manifest")
            #expect(plain.headers[.contentType] == "application/x-tar" && plain.headers[.cacheControl] == "no-store")
            #expect(try await interface.get("/v1/backup?logs=true", as: .admin).text == "journal manifest logs")
        }
    }

    @Test("what cannot be backed up says why before anything is sent")
    func refusals() async throws {
        try await Interface.run { interface in
            interface.plane.change { $0.backupFailure = .failed("a backup needs 300 MiB for a moment; free space there") }
            let failed = try await interface.get("/v1/backup", as: .admin)
            #expect(failed.status == .internalServerError && failed.text.contains("free space there"))
            interface.plane.change { $0.backupFailure = .busy }
            let busy = try await interface.get("/v1/backup", as: .admin)
            #expect(busy.status == .serviceUnavailable && busy.headers[.retryAfter] == "30")
        }
    }
}
