import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// A task has a row of its own only while it runs; the others of an array are interval sets.
@Suite struct ArrayMemoryTests {
    private static let count: UInt32 = 1_000_000

    @Test func aMillionQueuedTasksTakeLessThanTenKilobytes() throws {
        var harness = ClusterHarness()
        let (_, result) = harness.submit(Build.job(array: ArrayRange(first: 0, last: Self.count - 1)))
        guard case .success(.job(let id, _)) = result else { throw Unexpected() }
        let stored = harness.loop.core.waitingStorageBytes(of: id)
        let bytes = try #require(stored)
        #expect(bytes <= 10_000, "\(bytes) bytes")
        let snapshot = harness.loop.core.snapshot().count
        #expect(snapshot <= 10_000, "\(snapshot) bytes of snapshot")
    }

    /// Every task has failed once; they end in the order of a wide cluster, not quite the order of their numbers.
    @Test func aMillionTasksThatFailedOnceTakeLessThanAMegabyte() throws {
        var harness = ClusterHarness()
        let (_, result) = harness.submit(Build.job(array: ArrayRange(first: 0, last: Self.count - 1)))
        guard case .success(.job(let id, _)) = result else { throw Unexpected() }
        let stored = harness.loop.core.jobs[id]
        var row = try #require(stored)
        let width: UInt32 = 100
        for start in stride(from: UInt32(0), to: Self.count, by: Int(width)) {
            for offset in 0..<width {
                let unit = start + (offset * 37) % width
                _ = row.unwait(unit, attempt: 1)
                row.wait(
                    unit, attempt: 2, notBefore: LogicalTime(nanoseconds: Int64(start / 100_000) * 1_000_000_000 + 1), reason: .exitCode)
            }
        }
        let bytes = row.waiting.reduce(0) { $0 + $1.units.storageBytes + MemoryLayout<WaitingUnits>.stride }
        #expect(row.waiting.reduce(0) { $0 + $1.units.count } == UInt64(Self.count))
        #expect(bytes <= 1_000_000, "\(bytes) bytes")
    }

    private struct Unexpected: Error {}
}
