import ClusterModel
import ClusterPorts
import DaemonKit
import JournalSQLite
import LedgerHashing
import Metering
import SchedulerEngine
import SchedulingCore
import Synchronization

/// What a coordinator decided, folded again from the oldest state that is kept: every snapshot and every usage record that it wrote must
/// come out as it was written, bit for bit.
struct JournalReplay {
    var first: UInt64
    var last: UInt64
    var events = 0
    var jobs = 0
    var placements = 0
    /// Snapshots that came out the same, and those of an older form, which cannot be compared.
    var snapshots: [UInt64] = []
    var olderSnapshots: [UInt64] = []
    var usageRecords = 0
    var stateDigest = ""

    private struct Segment {
        var cluster: [UInt8]
        var segment: UsageSegment
    }

    /// While batches arrive one at a time.
    private struct Progress: ~Copyable {
        var core: SchedulerCore
        var replay: JournalReplay
        var segments: [Segment] = []
        var faults: [String] = []
    }

    /// Beside a running coordinator what is kept may change meanwhile: then from the beginning.
    static func run(_ directory: String) async throws -> JournalReplay {
        let reader = try SQLiteJournalReader(directory: directory, digest: sha256)
        for _ in 0..<8 {
            let facts = try reader.facts()
            do { return try await run(reader, facts) } catch {
                guard try reader.facts().snapshots != facts.snapshots else { throw error }
            }
        }
        throw StartError("the coordinator stores snapshots faster than this can follow; try again")
    }

    private static func run(_ reader: SQLiteJournalReader, _ facts: JournalFacts) async throws -> JournalReplay {
        var base: UInt64 = 0
        var core = SchedulerCore()
        // The whole history where it is kept; otherwise from the older snapshot on.
        if facts.firstIndex > 1, let oldest = facts.snapshots.first {
            guard let snapshot = try reader.loadSnapshot(after: oldest) else { throw StartError("snapshot \(oldest) is gone") }
            core = try SchedulerCore(snapshot: snapshot.state)
            base = oldest
        }
        let progress = Mutex(Progress(core: core, replay: JournalReplay(first: base + 1, last: facts.lastIndex)))
        try await reader.replay(after: base, through: facts.lastIndex) { index, events in
            let isKept = facts.snapshots.contains(index)
            let state = isKept ? try reader.loadSnapshot(after: index)?.state : nil
            if isKept, state == nil { throw StartError("snapshot \(index) is gone") }
            try progress.withLock { try fold(events, of: index, snapshot: state, &$0) }
        }
        let (folded, segments, digest, faults) = progress.withLock { progress in
            (progress.replay, progress.segments, Hex.text(sha256(progress.core.snapshot())), progress.faults)
        }
        guard faults.isEmpty else { throw StartError(faults.joined(separator: "; ")) }
        var replay = folded
        replay.stateDigest = digest
        replay.usageRecords = try checkUsage(segments, reader, facts)
        return replay
    }

    private static func fold(_ events: [Event], of index: UInt64, snapshot: [UInt8]?, _ progress: inout Progress) throws {
        var changes = Changes(recording: true)
        for event in events {
            progress.core.evolve(event, &changes)
            progress.replay.events += 1
            switch event {
            case .jobAccepted: progress.replay.jobs += 1
            case .unitsPlaced(let placed): progress.replay.placements += placed.units.reduce(0) { $0 + $1.places.count }
            default: break
            }
        }
        for case .usage(let segment) in changes.rows {
            progress.segments.append(Segment(cluster: progress.core.clusterID, segment: segment))
        }
        guard let snapshot else { return }
        var reader = CanonicalReader(snapshot)
        guard try reader.readUInt32() == SchedulerCore.snapshotLevel else {
            progress.replay.olderSnapshots.append(index)
            return
        }
        if snapshot == progress.core.snapshot() {
            progress.replay.snapshots.append(index)
        } else {
            progress.faults.append("the state after batch \(index) is not the one that was written as a snapshot then")
        }
    }

    /// The last records of the ledger, written again.
    private static func checkUsage(_ segments: [Segment], _ reader: SQLiteJournalReader, _ facts: JournalFacts) throws -> Int {
        guard let first = segments.first else { return 0 }
        guard facts.ledgerSequence >= UInt64(segments.count) else {
            throw StartError("the batches lead to \(segments.count) usage records, and there are \(facts.ledgerSequence)")
        }
        var next = facts.ledgerSequence - UInt64(segments.count)
        let before = next == 0 ? nil : try reader.usageRecords(after: next - 1, limit: 1).first
        var ledger = UsageLedger(cluster: first.cluster, head: before.map { LedgerHead(sequence: next, hash: sha256($0)) } ?? LedgerHead())
        var rest = segments[...]
        while !rest.isEmpty {
            let stored = try reader.usageRecords(after: next, limit: min(rest.count, 10_000))
            guard !stored.isEmpty else { throw StartError("usage records after \(next) are missing") }
            for bytes in stored {
                guard let segment = rest.popFirst() else { break }
                if segment.cluster != ledger.cluster { ledger = UsageLedger(cluster: segment.cluster, head: ledger.head) }
                next += 1
                guard ledger.append(segment.segment).bytes == bytes else {
                    throw StartError("usage record \(next) is not the one that the batches lead to")
                }
            }
        }
        return segments.count
    }

    var text: String {
        var lines = [
            "Batches \(first) to \(last) folded again: \(events) events, \(jobs) jobs accepted, \(placements) tasks placed",
            "Snapshots that came out the same, bit for bit: "
                + (snapshots.isEmpty ? "none was due" : "\(snapshots.map(String.init).joined(separator: ", "))"),
            "Usage records that came out the same, bit for bit: \(usageRecords)", "Digest of the state: \(stateDigest)",
        ]
        if !olderSnapshots.isEmpty {
            lines.append("Of an older form, not compared: snapshots \(olderSnapshots.map(String.init).joined(separator: ", "))")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
