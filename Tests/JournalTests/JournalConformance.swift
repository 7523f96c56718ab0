// What every journal must do, whatever keeps it. A backend's tests call these with a fresh place each.

import ClusterModel
import ClusterPorts
import LedgerHashing
import Metering
import SchedulingCore
import Testing

/// A place that a journal can be opened in, again and again.
protocol JournalBackend {
    associatedtype OpenJournal: Journal
    /// Fails with `.locked` while another one has it open.
    func open() async throws -> OpenJournal
    func reads() async throws -> any ReadModel
}

/// The code of the error that `body` ends with; nil when it does not.
func code(of body: () async throws -> Void) async -> JournalError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? JournalError)?.code
    }
}

func replayed(_ journal: some Journal, after index: UInt64 = 0) async throws -> [(index: UInt64, events: [Event])] {
    var batches: [(index: UInt64, events: [Event])] = []
    try await journal.replay(after: index, through: .max) { batches.append(($0, $1)) }
    return batches
}

enum JournalConformance {
    static func batchesComeBackInOrder(_ backend: some JournalBackend) async throws {
        var builder = BatchBuilder()
        var expected: [[Event]] = []
        let journal = try await backend.open()
        for events in Sample.events.map({ [$0] }) + [[], Sample.events] {
            for event in events { builder.note(event) }
            expected.append(events)
            try await journal.append([builder.batch()])
        }
        try await journal.append([])
        let first = try await replayed(journal)
        #expect(first.map(\.events) == expected)
        #expect(first.map(\.index) == Array(1...UInt64(expected.count)))
        #expect(try await replayed(journal, after: 3).map(\.events) == Array(expected.dropFirst(3)))
        #expect(try await replayed(journal, after: 1000).isEmpty)
        await journal.close()
        let reopened = try await backend.open()
        #expect(try await replayed(reopened).map(\.events) == expected)
        await reopened.close()
    }

    static func headIsWhatWasAppendedLast(_ backend: some JournalBackend) async throws {
        var builder = BatchBuilder()
        var journal = try await backend.open()
        var head = try await journal.head()
        #expect(head.index == 0 && head.time == .zero && head.ledgerSequence == 0)
        #expect(head.ledgerHash == [UInt8](repeating: 0, count: 32))
        builder.accept(1, tasks: 2)
        builder.place(1, 0)
        builder.place(1, 1)
        builder.end(1, 0)
        builder.end(1, 1)
        try await journal.append([builder.batch(), builder.batch()])
        for _ in 0..<2 {
            head = try await journal.head()
            #expect(head.index == 2 && head.time == builder.now)
            #expect(head.ledgerSequence == 2 && head.ledgerHash == builder.ledger.head.hash)
            await journal.close()
            journal = try await backend.open()
        }
        await journal.close()
    }

    static func anythingOutOfOrderIsRefusedWhole(_ backend: some JournalBackend) async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        builder.accept(1)
        try await journal.append([builder.batch()])
        let other = try #require(await code { _ = try await backend.open() })
        #expect(other == .locked)

        let empty = JournalBatch(index: 2, events: [], rows: [], usage: [], at: builder.now + .hour)
        var wrong = [empty, empty]
        wrong[1].index = 4
        #expect(await code { try await journal.append(wrong) } == .order)
        wrong[1].index = 3
        wrong[1].at = builder.now
        #expect(await code { try await journal.append(wrong) } == .order)
        for row: RowChange in [
            .jobAccepted(AcceptedJob(id: JobID(1), specification: Sample.specification, user: "x", key: nil, retryOf: nil, at: .zero)),
            .attemptStarted(Sample.attempt, at: .zero), .attemptEnded(Sample.ended(.gangLives)),
            .job(
                JobStanding(
                    id: JobID(77), state: .running, reason: .none, counts: TaskCounts(), startedAt: nil, finishedAt: nil, exitCode: nil)),
        ] {
            var batch = empty
            batch.rows = [row]
            #expect(await code { try await journal.append([empty, batch]) } == .order)
            batch.index = 3
            #expect(await code { try await journal.append([empty, batch]) } == .order)
        }
        var ledger = UsageLedger(cluster: [], head: LedgerHead(sequence: 5))
        var batch = empty
        batch.usage = [ledger.append(segment)]
        #expect(await code { try await journal.append([batch]) } == .order)
        #expect(try await journal.head().index == 1)
        try await journal.append([empty])
        #expect(try await journal.head().index == 2)
        await journal.close()
    }

    private static var segment: UsageSegment {
        var builder = BatchBuilder()
        builder.accept(1)
        builder.end(1, 0)
        return builder.batch().usage[0].record.segment
    }

    static func snapshotsAreKeptAndWhatTheyCoverIsPruned(_ backend: some JournalBackend) async throws {
        func snapshot(_ index: UInt64) -> JournalSnapshot {
            // More than one part, each different.
            let state = (0..<(2 << 20) + 17).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(index)) }
            return JournalSnapshot(index: index, state: state, digest: sha256(state))
        }
        var journal = try await backend.open()
        var builder = BatchBuilder()
        #expect(try await journal.loadSnapshot() == nil)
        #expect(await code { try await journal.storeSnapshot(snapshot(1)) } == .order)
        try await journal.append((0..<2500).map { _ in builder.batch() })
        try await journal.storeSnapshot(snapshot(1200))
        #expect(try await replayed(journal).count == 2500)
        try await journal.storeSnapshot(snapshot(2500))
        try await journal.storeSnapshot(snapshot(2500))
        for _ in 0..<2 {
            let loaded = try #require(try await journal.loadSnapshot())
            #expect(loaded.index == 2500 && loaded.state == snapshot(2500).state && loaded.digest == snapshot(2500).digest)
            #expect(await code { _ = try await replayed(journal) } == .unreadable)
            #expect(await code { _ = try await replayed(journal, after: 1199) } == .unreadable)
            #expect(try await replayed(journal, after: 1200).count == 1300)
            #expect(try await replayed(journal, after: 2500).isEmpty)
            await journal.close()
            journal = try await backend.open()
        }
        try await journal.storeSnapshot(JournalSnapshot(index: 2500, state: [], digest: sha256([])))
        try await journal.append([builder.batch()])
        try await journal.storeSnapshot(JournalSnapshot(index: 2501, state: [], digest: sha256([])))
        #expect(try await journal.loadSnapshot()?.state == [])
        #expect(try await replayed(journal, after: 2500).count == 1)
        #expect(try await journal.head().index == 2501)
        await journal.close()
    }

    static func aFailingReaderEndsTheReplay(_ backend: some JournalBackend) async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        try await journal.append([builder.batch(), builder.batch()])
        var seen = 0
        let failure = await code {
            try await journal.replay(after: 0, through: .max) { _, _ in
                seen += 1
                throw CanonicalError.truncated
            }
        }
        #expect(failure == .unreadable && seen == 1)
        await journal.close()
    }

    static func theLedgerIsAChain(_ backend: some JournalBackend) async throws {
        let journal = try await backend.open()
        let reads = try await backend.reads()
        var builder = BatchBuilder()
        builder.accept(1, tasks: 50)
        var expected: [[UInt8]] = []
        for task in 0..<50 as Range<UInt32> {
            builder.place(1, task)
            builder.end(1, task)
            let batch = builder.batch()
            expected += batch.usage.map(\.bytes)
            try await journal.append([batch])
        }
        var verifier = LedgerVerifier()
        var position: UInt64 = 0
        while case let page = try await reads.usage(after: position, limit: 7, job: nil, .all), !page.isEmpty {
            for record in page {
                #expect(record.canonicalBytes == expected[Int(record.sequence) - 1])
                #expect(try verifier.check(record.canonicalBytes) == record)
            }
            position = page[page.count - 1].sequence
        }
        #expect(verifier.head == builder.ledger.head)
        #expect(verifier.head.sequence == 50)
        await journal.close()
    }
}
