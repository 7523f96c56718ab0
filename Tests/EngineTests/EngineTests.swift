import ClusterModel
import ClusterPorts
import Logging
import Metering
import SchedulerEngine
import SchedulerTestKit
import SchedulingCore
import Synchronization
import Testing

/// The engine over a journal that a test holds in its hand.
@Suite struct EngineTests {
    @Test func nothingIsAnsweredBeforeItIsDurable() async throws {
        let journal = HeldJournal()
        let engine = try await makeEngine(journal)
        let running = Task { try await engine.run { _ in } }
        await journal.allow(batches: 1)
        let answered = Mutex(false)
        let submission = Task {
            let decision = try await engine.perform(.submit(Submission(specification: Build.job(), user: "ada", key: nil)))
            answered.withLock { $0 = true }
            return decision
        }
        await journal.awaitAttempts(2)
        #expect(answered.withLock { $0 } == false)
        #expect(engine.liveJob(JobID(1)) == nil, "the follower shows only what is durable")
        await journal.allow(batches: 1)
        let decision = try await submission.value
        #expect(decision.answer == .job(JobID(1), isReplay: false))
        #expect(engine.liveJob(JobID(1)) != nil, "a reply is never ahead of what readers see")
        running.cancel()
        _ = try? await running.value
    }

    @Test func anAppendWhoseOutcomeIsUnknownEndsTheEngine() async throws {
        let journal = HeldJournal()
        let engine = try await makeEngine(journal)
        let running = Task { try await engine.run { _ in } }
        await journal.allow(batches: 1)
        let submission = Task { try await engine.perform(.submit(Submission(specification: Build.job(), user: "ada", key: nil))) }
        await journal.awaitAttempts(2)
        await journal.fail(JournalError(.io, "planted"))
        await #expect(throws: ControlError.unavailable) { try await submission.value }
        await #expect(throws: JournalError.self) { try await running.value }
    }

    private func makeEngine(_ journal: HeldJournal) async throws -> SchedulerEngine {
        try await SchedulerEngine(
            journal: journal, server: SilentServer(), clocks: CountingClocks(), sealer: PlainSealer(), logStore: NoLogs(), reads: NoReads(),
            configuration: EngineConfiguration(), newClusterID: [UInt8](repeating: 7, count: 16), logger: Logger(label: "test"),
            keepTopology: { _ in }, proves: { _, _ in true })
    }
}
