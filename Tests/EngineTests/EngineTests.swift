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

    @Test func whyAJobWaitsFollowsTheNodes() async throws {
        try await leading { engine in
            let token = JoinTokenRecord(
                id: [1], verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 1, namePrefix: "")
            _ = try await engine.perform(.createJoinToken(token))
            _ = try await engine.perform(.submit(Submission(specification: Build.job(), user: "ada", key: nil)))
            #expect(engine.liveJob(JobID(1))?.waitingExplanation == "no node has registered yet")
            let enrolled = try await engine.perform(.enroll(tokenID: [1], publicKey: [UInt8](repeating: 3, count: 32), nodeName: "a"))
            guard case .node(let node) = enrolled.answer else { return #expect(Bool(false)) }
            _ = try await engine.perform(.setNodeCordon(node, isCordoned: true))
            let registration = Registration(
                instance: 1, bootID: [UInt8](repeating: 9, count: 16), inventory: Build.node("a"), attempts: [])
            _ = try await engine.perform(.register(node, registration))
            #expect(engine.liveJob(JobID(1))?.waitingExplanation.hasPrefix("1 of 1 nodes: cordoned") == true)
        }
    }

    /// Fault F22: they are answered from memory; no batch, no wait for the disk.
    @Test func aStormOfHeartbeatsIsNeverJournalled() async throws {
        try await leading { engine in
            let token = JoinTokenRecord(
                id: [1], verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 1, namePrefix: "")
            _ = try await engine.perform(.createJoinToken(token))
            let enrolled = try await engine.perform(.enroll(tokenID: [1], publicKey: [UInt8](repeating: 3, count: 32), nodeName: "a"))
            guard case .node(let node) = enrolled.answer else { return #expect(Bool(false)) }
            let registration = Registration(instance: 1, bootID: [UInt8](repeating: 9, count: 16), inventory: Build.node("a"), attempts: [])
            let before = try await engine.perform(.register(node, registration)).revision
            let storm = (1...10_000).map { number in
                (
                    node: node,
                    message: AgentMessage.heartbeat(
                        Heartbeat(
                            session: SessionID(1), number: UInt64(number), commandsApplied: 0, liveAttempts: 0, bootTime: Int64(number)))
                )
            }
            engine.received(storm)
            let after = try await engine.perform(.setNodeCordon(node, isCordoned: true)).revision
            #expect(after == before + 1)
        }
    }

    @Test func aKeyOpensUntilItIsRevoked() async throws {
        try await leading { engine in
            let key = AccessKey(
                id: "0000000a", secretDigest: [UInt8](repeating: 5, count: 32), tenant: "t", user: "ada", role: .user, createdAt: .zero)
            #expect(engine.accessKey(id: key.id) == nil)
            _ = try await engine.perform(.createKey(key))
            #expect(engine.accessKey(id: key.id)?.user == "ada" && engine.accessKeys().count == 1)
            _ = try await engine.perform(.revokeKey(key.id))
            #expect(engine.accessKey(id: key.id) == nil && engine.accessKeys().isEmpty)
        }
    }

    /// An engine whose journal takes every batch.
    private func leading(_ body: (SchedulerEngine) async throws -> Void) async throws {
        let journal = HeldJournal()
        await journal.allow(batches: 1000)
        let engine = try await makeEngine(journal)
        let running = Task { try await engine.run { _ in } }
        try await body(engine)
        running.cancel()
        _ = try? await running.value
    }

    private func makeEngine(_ journal: HeldJournal) async throws -> SchedulerEngine {
        try await SchedulerEngine(
            journal: journal, server: SilentServer(), clocks: CountingClocks(), sealer: PlainSealer(), logStore: NoLogs(), files: NoFiles(),
            reads: NoReads(), backups: NoBackups(),
            configuration: EngineConfiguration(), newClusterID: [UInt8](repeating: 7, count: 16), logger: Logger(label: "test"),
            keepTopology: { _ in }, proves: { _, _ in true })
    }
}
