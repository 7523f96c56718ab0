// The loop: commands in, batches out. Synchronous; the engine gives it a task and a clock, the simulation neither.

public import ClusterModel
import Placement

/// What one step decided. Effects and replies are in here, and only whoever has made the events durable may let them
/// out: that is the whole of "durable before visible".
public struct Batch: Sendable {
    /// From 1 without gaps over batches that hold events; the index of the last such batch otherwise.
    public var index: UInt64
    public var events: [Event]
    public var rows: [RowChange]
    /// In order; replies among them.
    public var effects: [Effect]
    public var at: LogicalTime
    /// When the command that waited longest for this step arrived; nil when there was none.
    public var firstArrival: Int64?
}

/// Owned by one task; holds the deciding core and the inbox.
public struct SchedulerLoop: ~Copyable, Sendable {
    public private(set) var core: SchedulerCore
    private var inbox: CommandInbox
    private var cursor = RoundCursor()
    private var lastIndex: UInt64
    /// Placements may be possible that were not tried since the last change.
    private var mayPlace = true
    /// Slots that changed hands and have not been offered successors since.
    private var movedSlots: [MovedSlot] = []

    /// - Parameter index: the last batch that `core` includes.
    public init(core: consuming SchedulerCore, index: UInt64, inbox: CommandInbox = CommandInbox()) {
        self.core = core
        lastIndex = index
        self.inbox = inbox
        _ = self.core.offers.takeChanges()
        _ = self.core.accounts.takeChanges()
        cursor.renew(self.core)
        let lanes = self.core.queue.takeChanges()
        cursor.follow(lanes, of: self.core, at: self.core.time)
    }

    /// False when the lane is full: the caller says "later".
    public mutating func offer(_ command: OfferedCommand) -> Bool { inbox.offer(command) }

    public var isIdle: Bool { inbox.isEmpty && !mayPlace }
    /// Commands that wait for a step.
    public var waitingCommandCount: Int { inbox.count }
    public var nextWake: LogicalTime? {
        guard let round = cursor.nextWake else { return core.nextWake }
        return core.nextWake.map { min($0, round) } ?? round
    }
    /// Rises whenever `reservedRooms` changes.
    public var reservationVersion: UInt64 { cursor.reservations.version }
    /// Room that is set aside now.
    public var reservedRooms: [ReservedRoom] { cursor.reservations.rooms }
    public var candidatesExamined: Int { cursor.candidatesExamined }
    /// Request classes that are known to wait, for the test that bounds them.
    public var classesRemembered: Int { cursor.classesRemembered }

    /// Decides up to `commands` commands, then places until nothing more fits or the budget is spent.
    ///
    /// - Returns: nil when nothing happened and nobody waits for an answer.
    public mutating func step(at now: LogicalTime, commands: Int = 256, placements: Int = 64) -> Batch? {
        // 1. Time never goes back, whatever the shell's clock does.
        let instant = max(now, core.time)
        var draft = BatchDraft(at: instant)
        // 2. Timers first: they may make room for what the commands ask.
        if let wake = core.nextWake, wake <= instant { run(OfferedCommand(.tick), &draft) }
        // 3. Commands in order of arrival, agents' lane first.
        for _ in 0..<commands {
            guard let command = inbox.next() else { break }
            draft.firstArrival = min(draft.firstArrival, command.arrivedAt)
            run(command, &draft)
        }
        // 4. Placements, one bulk at a time.
        for _ in 0..<placements {
            guard !core.isOutdated, let event = core.decidePlacement(&cursor, at: instant) else {
                mayPlace = false
                break
            }
            fold(event, &draft)
            mayPlace = true
        }
        // 5. Once everything that fits has been placed: room for what is guaranteed or more important, and run-ahead.
        if !mayPlace, !core.isOutdated {
            for event in cursor.preemptions(of: core, isStirred: !draft.events.isEmpty, at: instant) { fold(event, &draft) }
            lineUp(&draft)
        }
        return draft.finish(&lastIndex, reading: core)
    }

    /// The first step of a leadership: its batch must be durable before any other.
    public mutating func lead(cluster: [UInt8], at now: LogicalTime) -> Batch {
        var draft = BatchDraft(at: max(now, core.time))
        for event in core.decideLeadership(cluster: cluster, at: draft.at) { fold(event, &draft) }
        guard let batch = draft.finish(&lastIndex, reading: core) else { preconditionFailure("a leadership without an event") }
        return batch
    }

    /// The batch that ends a restore: what follows is another time than the one that the backup does not know.
    public mutating func restore(cluster: [UInt8], at now: LogicalTime) -> Batch {
        var draft = BatchDraft(at: max(now, core.time))
        fold(.clusterRestored(core.decideRestore(cluster: cluster, at: draft.at)), &draft)
        guard let batch = draft.finish(&lastIndex, reading: core) else { preconditionFailure("a restore without an event") }
        return batch
    }

    private mutating func lineUp(_ draft: inout BatchDraft) {
        guard !movedSlots.isEmpty else { return }
        let holders = Dictionary(grouping: movedSlots, by: \.job)
        movedSlots.removeAll(keepingCapacity: true)
        // What ends there makes room for somebody else.
        let aside = cursor.reservations.nodesAside
        for job in holders.keys.sorted() {
            let event = core.decideSuccessors(of: job, behind: holders[job]!.map(\.holder), avoiding: aside, at: draft.at)
            if let event { fold(event, &draft) }
        }
    }

    // MARK: One command

    private mutating func run(_ offered: OfferedCommand, _ draft: inout BatchDraft) {
        do throws(Rejection) {
            let answer = try decideAndFold(offered.command, &draft)
            if let token = offered.token { draft.reply(token, .success(answer)) }
        } catch {
            refuse(offered, error, &draft)
        }
    }

    private func refuse(_ offered: OfferedCommand, _ rejection: Rejection, _ draft: inout BatchDraft) {
        if case .register(let node, _, _) = offered.command, case .registration(let refusal) = rejection {
            draft.effects.append(.refuse(node, refusal))
        }
        if let token = offered.token { draft.reply(token, .failure(rejection)) }
    }

    private mutating func decideAndFold(_ command: Command, _ draft: inout BatchDraft) throws(Rejection) -> Answer {
        let decided = try core.decide(command, at: draft.at)
        let before = rebootCheck(command)
        fold(decided, &draft)
        // A command about many attempts, or jobs, is decided one at a time, each against what the one before led to.
        switch command {
        case .tick:
            for job in core.expiries.due(at: draft.at, most: SchedulerLimits.expiriesPerStep) {
                fold(core.decideExpiry(of: job, at: draft.at), &draft)
            }
        case .register(let node, let registration, _) where decided.isRegistration:
            reconcile(node, registration, rebooted: before, &draft)
        case .confirmDead(let node): endEverything(on: node, &draft)
        case .report(let node, let report):
            fold(report.statuses, from: node, &draft)
        case .leaseExpired(let node, _, _):
            endSilentTasks(of: node, &draft)
        default: break
        }
        return decided.answer
    }

    /// Whether the registration comes from another boot of the node than the last one.
    private func rebootCheck(_ command: Command) -> Bool {
        guard case .register(let id, let registration, _) = command, let row = core.nodes[id] else { return false }
        return !row.bootID.isEmpty && row.bootID != registration.bootID
    }

    /// What was given back first, so that nothing is handed over to it; then in the order of fences: in a slot, that is
    /// the order in which tasks follow each other, and the end of one makes the next live.
    private mutating func fold(_ statuses: [AttemptStatus], from node: NodeID, _ draft: inout BatchDraft) {
        let ordered =
            statuses.count < 2 ? statuses : statuses.sorted { ($0.isReturned ? 0 : 1, $0.fence) < ($1.isReturned ? 0 : 1, $1.fence) }
        for status in ordered { fold(core.decideStatus(status, from: node, at: draft.at), &draft) }
    }

    private mutating func reconcile(_ node: NodeID, _ registration: Registration, rebooted: Bool, _ draft: inout BatchDraft) {
        let listed = Set(registration.attempts.filter { core.fence(of: $0.attempt) == $0.fence }.map(\.attempt))
        func resend(_ attempts: [AttemptID], _ draft: inout BatchDraft) {
            for attempt in attempts where !listed.contains(attempt) {
                fold(core.decideUnlisted(attempt, on: node, rebooted: rebooted, at: draft.at), &draft)
            }
        }
        fold(core.decideDirtySlots(on: node, registration, at: draft.at), &draft)
        // After a restart of the node nothing waits there: said first, so that nothing is handed over to it.
        if rebooted { resend(core.successors(on: node), &draft) }
        fold(registration.attempts, from: node, &draft)
        if !rebooted { resend(core.successors(on: node), &draft) }
        resend(core.attempts(on: node).filter { core.successor($0) == nil }, &draft)
        draft.effects += core.outstandingEffects(for: node)
    }

    /// A task that ends with the lease hands its slot over to the next, which may have run too while the node was silent:
    /// it ends the same way, until no slot there is held by such a job.
    private mutating func endSilentTasks(of node: NodeID, _ draft: inout BatchDraft) {
        while true {
            let before = draft.events.count
            for attempt in core.attempts(on: node) { fold(core.decideSilentTask(attempt, at: draft.at), &draft) }
            if draft.events.count == before { return }
        }
    }

    /// What was lined up waits again, what ran has ended, and nothing of it is left.
    private mutating func endEverything(on node: NodeID, _ draft: inout BatchDraft) {
        for attempt in core.successors(on: node) { fold(.successorReturned(attempt, from: node, at: draft.at), &draft) }
        for attempt in core.attempts(on: node) { fold(core.decideDeadTask(attempt, at: draft.at), &draft) }
        for slot in core.nodes[node]?.dirtySlots ?? [] {
            for attempt in slot.attempts { fold(.attemptGone(node, attempt.fence, at: draft.at), &draft) }
        }
    }

    private mutating func fold(_ decided: Decided, _ draft: inout BatchDraft) {
        for event in decided.events { fold(event, &draft) }
        draft.effects += decided.effects
    }

    private mutating func fold(_ event: Event, _ draft: inout BatchDraft) {
        let held = draft.changes.movedSlots.count
        let next = core.decideNextRun(with: event, at: draft.at)
        core.evolve(event, &draft.changes)
        followChanges(of: event)
        draft.events.append(event)
        draft.effects += core.effects(of: event)
        movedSlots += draft.changes.movedSlots[held...]
        switch event.effectOnRoom {
        // A slot that was handed over is no room for others.
        case .mayFit where draft.changes.movedSlots.count > held: break
        case .mayFit:
            cursor.forgetSkips(core, at: draft.at)
            mayPlace = true
        case .newWork: mayPlace = true
        case .none: break
        }
        if let next { fold(next, &draft) }
    }
}

extension SchedulerLoop {
    /// Keeps the cursor's index to what the state has.
    private mutating func followChanges(of event: Event) {
        var mayHaveGrown = true
        switch event {
        case .jobAccepted(let job):
            cursor.expect(job.specification)
            cursor.renewIfOld(core)
        case .attemptEnded: cursor.fleet.end()
        case .unitsPlaced: mayHaveGrown = false
        default: break
        }
        let offers = core.offers.takeChanges()
        cursor.follow(offers, of: core, mayHaveGrown: mayHaveGrown)
        let accounts = core.accounts.takeChanges()
        if !accounts.isEmpty { cursor.follow(accounts: accounts, core, at: core.time) }
        let lanes = core.queue.takeChanges()
        cursor.follow(lanes, of: core, at: core.time)
        switch event {
        case .shareObjectSet, .shareObjectRemoved, .nodeRegistered, .nodeMoved, .nodeRemoved: cursor.unpark(core, at: core.time)
        case .gangsPreempted: cursor.reservations.noteClaim()
        case .hourCut: cursor.forgetAccounts(core, at: core.time)
        default: break
        }
    }
}

extension Event {
    enum EffectOnRoom { case mayFit, newWork, none }

    /// Whether something that was passed over may fit now. A new job of a class that is blocked stays behind it, unless
    /// its own conditions differ: hence `newWork` alone does not clear the cursor.
    var effectOnRoom: EffectOnRoom {
        switch self {
        case .jobUpdated, .attemptEnded, .successorReturned, .nodeRegistered, .nodeMoved, .nodeCordoned, .attemptGone, .jobFinished,
            .timersDue,
            .shareObjectSet, .shareObjectRemoved:
            .mayFit
        case .jobAccepted: .newWork
        default: .none
        }
    }
}

/// A batch while a step fills it.
struct BatchDraft: ~Copyable {
    let at: LogicalTime
    var events: [Event] = []
    var effects: [Effect] = []
    var changes = Changes(recording: true)
    var firstArrival = Int64.max

    init(at: LogicalTime) { self.at = at }

    mutating func reply(_ token: RequestToken, _ result: Result<Answer, Rejection>) {
        effects.append(.reply(Reply(token: token, result: result, revision: 0)))
    }

    mutating func finish(_ lastIndex: inout UInt64, reading core: borrowing SchedulerCore) -> Batch? {
        guard !events.isEmpty || !effects.isEmpty else { return nil }
        if !events.isEmpty { lastIndex += 1 }
        let revision = core.revision
        let released = EffectCoalescing.merged(effects).map { effect -> Effect in
            guard case .reply(var reply) = effect else { return effect }
            reply.revision = revision
            return .reply(reply)
        }
        return Batch(
            index: lastIndex, events: events, rows: changes.finish(reading: core), effects: released, at: at,
            firstArrival: firstArrival == .max ? nil : firstArrival)
    }
}
