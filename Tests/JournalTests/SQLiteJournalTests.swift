import ClusterModel
import ClusterPorts
import FoundationEssentials
import LedgerHashing
import SchedulingCore
import Testing

@testable import JournalSQLite

@Suite struct SQLiteConformanceTests {
    @Test func batchesComeBackInOrder() async throws { try await JournalConformance.batchesComeBackInOrder(SQLiteBackend()) }
    @Test func headIsWhatWasAppendedLast() async throws { try await JournalConformance.headIsWhatWasAppendedLast(SQLiteBackend()) }
    @Test func anythingOutOfOrderIsRefusedWhole() async throws {
        try await JournalConformance.anythingOutOfOrderIsRefusedWhole(SQLiteBackend())
    }
    @Test func snapshotsAreKeptAndWhatTheyCoverIsPruned() async throws {
        try await JournalConformance.snapshotsAreKeptAndWhatTheyCoverIsPruned(SQLiteBackend())
    }
    @Test func aFailingReaderEndsTheReplay() async throws { try await JournalConformance.aFailingReaderEndsTheReplay(SQLiteBackend()) }
    @Test func theLedgerIsAChain() async throws { try await JournalConformance.theLedgerIsAChain(SQLiteBackend()) }
}

@Suite struct SQLiteJournalTests {
    private let backend = SQLiteBackend()

    /// Jobs, attempts, usage and cluster in one number each, to compare tables with the head.
    private func rows(_ journal: SQLiteJournal) async throws -> [Int64?] {
        var counts: [Int64?] = []
        for table in ["jobs", "attempts", "usage"] { counts.append(try await journal.run("SELECT count(*) FROM \(table)")) }
        return counts
    }

    /// Batch n brings job n with its only attempt, ended.
    private func append(_ count: Int, to journal: SQLiteJournal, _ builder: inout BatchBuilder) async throws {
        for _ in 0..<count {
            let job = builder.index + 1
            builder.accept(job)
            builder.place(job, 0)
            builder.end(job, 0)
            try await journal.append([builder.batch()])
        }
    }

    @Test func filesAreForTheirOwnerAlone() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(1, to: journal, &builder)
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(backend.directory) == 0o700)
        for name in try FileManager.default.contentsOfDirectory(atPath: backend.directory) {
            #expect(try mode("\(backend.directory)/\(name)") == 0o600, "\(name)")
        }
        #expect(try await journal.run("PRAGMA synchronous") == 2)
        await journal.close()
        #expect(await failure { try await journal.append([builder.batch()]) }?.message.contains("is closed") == true)
    }

    @Test func aSecondCoordinatorIsRefusedByName() async throws {
        let journal = try await backend.open()
        let refusal = try #require(await failure { _ = try await backend.open() })
        #expect(refusal.code == .locked)
        #expect(refusal.message.contains(backend.directory))
        #expect(refusal.message.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
        await journal.close()
        await (try backend.open()).close()
    }

    @Test func aDirectoryThatCannotBeUsedIsNamed() async throws {
        try Data("x".utf8).write(to: URL(filePath: backend.directory))
        let refusal = try #require(await failure { _ = try await backend.open() })
        #expect(refusal.code == .unreadable && refusal.message.contains(backend.directory))
    }

    @Test func foreignAndDamagedFilesAreRefused() async throws {
        try FileManager.default.createDirectory(atPath: backend.directory, withIntermediateDirectories: true)
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: backend.database))
        #expect(await failure { _ = try await backend.open() }?.code == .unreadable)
        #expect(try Data(contentsOf: URL(filePath: backend.database)) == Data(repeating: 0x41, count: 8192))
    }

    @Test func tablesOfANewerReleaseAreRefused() async throws {
        let journal = try await backend.open()
        _ = try await journal.run("UPDATE meta SET value = 99 WHERE name = 'schema'")
        await journal.close()
        let refusal = try #require(await failure { _ = try await backend.open() })
        #expect(refusal.code == .unreadable && refusal.message.contains("version 99"))
    }

    @Test func usageIsNeverChangedOrDeleted() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(2, to: journal, &builder)
        for statement in ["UPDATE usage SET job = 9", "DELETE FROM usage", "DELETE FROM usage WHERE sequence = 1"] {
            #expect(await failure { _ = try await journal.run(statement) }?.message.contains("append-only") == true)
        }
        #expect(try await rows(journal) == [2, 2, 2])
        await journal.close()
    }

    @Test func aDamagedRecordStopsTheStartAndIsKept() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(3, to: journal, &builder)
        _ = try await journal.run(
            #"UPDATE journal SET record = CAST(substr(record, 1, 20) || x'00' || substr(record, 22) AS BLOB) WHERE "index" = 2"#)
        let refusal = try #require(await failure { _ = try await replayed(journal) })
        #expect(refusal.code == .unreadable && refusal.message.contains("batch 2 ") && refusal.message.contains("damaged"))
        _ = try await journal.run(#"UPDATE journal SET record = x'00' WHERE "index" = 3"#)
        await journal.close()
        #expect(await failure { _ = try await backend.open() }?.message.contains("batch 3 ") == true)
    }

    @Test func aDamagedSnapshotIsNamedAndTheOneBeforeIsThere() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        for _ in 0..<2 {
            try await append(1, to: journal, &builder)
            let state: [UInt8] = [1, 2, UInt8(builder.index)]
            try await journal.storeSnapshot(JournalSnapshot(index: builder.index, state: state, digest: journal.digest(state)))
        }
        _ = try await journal.run("UPDATE snapshot_part SET bytes = x'FF' WHERE snapshot = 2")
        let refusal = try #require(await failure { _ = try await journal.loadSnapshot() })
        #expect(refusal.code == .unreadable && refusal.message.contains("snapshot 2 "))
        let digest = journal.digest
        #expect(await failure { _ = try JournalRepair.setAsideDamagedSnapshot(in: backend.directory, digest: digest) }?.code == .locked)
        await journal.close()
        let (index, file) = try JournalRepair.setAsideDamagedSnapshot(in: backend.directory, digest: digest)
        #expect(index == 2)
        #expect(try Data(contentsOf: URL(filePath: file)) == Data([0xFF]))
        let repaired = try await backend.open()
        #expect(try await repaired.loadSnapshot()?.index == 1)
        #expect(try await replayed(repaired, after: 1).count == 1)
        await repaired.close()
    }

    @Test func nothingSoundIsSetAside() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(1, to: journal, &builder)
        let digest = journal.digest
        try await journal.storeSnapshot(JournalSnapshot(index: 1, state: [1], digest: digest([1])))
        await journal.close()
        let refusal = await failure { _ = try JournalRepair.setAsideDamagedSnapshot(in: backend.directory, digest: digest) }
        #expect(refusal?.message.contains("is sound") == true)
    }

    @Test func aTornLogGivesTheStateBeforeOrAfterABatch() async throws {
        await (try backend.open()).close()
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(3, to: journal, &builder)
        var heads: Set<UInt64> = []
        let logSize = try backend.logSize
        for size in Array(stride(from: 0, to: logSize, by: 512)) + [logSize] {
            let copy = try backend.crashed(logBytes: size)
            let recovered = try await copy.open()
            let head = try await recovered.head()
            let count = Int64(head.index)
            #expect(try await rows(recovered) == [count, count, count], "after \(size) bytes")
            #expect(head.ledgerSequence == head.index)
            #expect(try await replayed(recovered).map(\.index) == Array(0..<head.index).map { $0 + 1 })
            heads.insert(head.index)
            await recovered.close()
        }
        #expect(heads == [0, 1, 2, 3])
        await journal.close()
    }

    @Test func aCopyTakenWhileOpenGoesOn() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(5, to: journal, &builder)
        let recovered = try await backend.crashed().open()
        #expect(try await recovered.head().ledgerHash == builder.ledger.head.hash)
        try await append(1, to: recovered, &builder)
        #expect(try await rows(recovered) == [6, 6, 6])
        await recovered.close()
        await journal.close()
    }

    @Test func aFullDiskUndoesTheBatchWhichMayBeTriedAgain() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(1, to: journal, &builder)
        let pages = try #require(try await journal.run("PRAGMA page_count"))
        _ = try await journal.run("PRAGMA max_page_count = \(pages + 3)")
        builder.accept(2, tenant: "new tenant", tasks: 500)
        for task in 0..<500 as Range<UInt32> {
            builder.place(2, task)
            builder.end(2, task)
        }
        let batch = builder.batch()
        for _ in 0..<2 {
            #expect(await failure { try await journal.append([batch]) }?.code == .full)
            #expect(try await journal.head().index == 1)
            #expect(try await rows(journal) == [1, 1, 1])
        }
        _ = try await journal.run("PRAGMA max_page_count = 1073741823")
        try await journal.append([batch])
        #expect(try await rows(journal) == [2, 501, 501])
        #expect(try await journal.head().ledgerHash == builder.ledger.head.hash)
        await journal.close()
    }

    @Test func anotherProcessReadsBesideTheCoordinator() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await append(4, to: journal, &builder)
        try await journal.storeSnapshot(JournalSnapshot(index: 2, state: [7], digest: sha256([7])))
        let reader = try SQLiteJournalReader(directory: backend.directory, digest: sha256)
        #expect(try reader.loadSnapshot()?.state == [7])
        var batches: [[Event]] = []
        try await reader.replay(after: 2, through: 3) { batches.append(($1)) }
        let expected = try await replayed(journal)
        #expect(batches == [expected[2].events])
        try await reader.replay(after: 3, through: .max) { batches.append(($1)) }
        #expect(batches == expected[2...].map(\.events))
        await journal.close()
        #expect(await failure { _ = try SQLiteJournalReader(directory: "/nowhere", digest: sha256) }?.code == .unreadable)
    }

    @Test func aCancelledCallerStillLearnsTheOutcome() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        builder.accept(1)
        let batch = builder.batch()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await journal.append([batch])
        }
        try await task.value
        #expect(try await journal.head().index == 1)
        await journal.close()
    }

    @Test func topologiesAreKeptOnce() async throws {
        let journal = try await backend.open()
        let reads = try await backend.reads()
        try await journal.storeTopology(digest: [1, 2], compressedXML: [3, 4, 5])
        try await journal.storeTopology(digest: [1, 2], compressedXML: [3, 4, 5])
        #expect(try await reads.topology(digest: [1, 2]) == [3, 4, 5])
        #expect(try await reads.topology(digest: [9]) == nil)
        await journal.close()
    }
}
