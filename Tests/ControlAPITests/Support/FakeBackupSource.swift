import ClusterPorts
import Synchronization

/// Gives two pieces; with logs a third.
struct FakeBackupSource: BackupSource {
    var failure: BackupRefusal?

    func begin(includesLogs: Bool) async throws(BackupRefusal) -> any BackupStream {
        if let failure { throw failure }
        return FakeBackupStream(["journal ", "manifest"] + (includesLogs ? [" logs"] : []))
    }
}

final class FakeBackupStream: BackupStream {
    private let pieces: Mutex<[String]>

    init(_ pieces: [String]) { self.pieces = Mutex(pieces) }

    func next() async throws -> [UInt8]? {
        pieces.withLock { $0.isEmpty ? nil : Array($0.removeFirst().utf8) }
    }
}
