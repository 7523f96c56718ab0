// What would come of a submission, at one version of the state.

public import ClusterModel
public import Placement

public struct Plan: Sendable {
    public enum Verdict: Sendable {
        /// Something of it would start at once.
        case starts
        case waits
        /// It would be refused, or could never start.
        case never
    }

    public struct Victim: Hashable, Sendable {
        public var job: JobID
        /// Which gang of it.
        public var ordinal: UInt32
        public var hasRunFor: Span
        public var grace: Span
        /// False: whoever asks may not know which job it is.
        public var isNamed = true
    }

    public var verdict = Verdict.waits
    /// Of which version of the state it is true.
    public var revision: UInt64
    /// Why it would wait, or never start.
    public var reason = Reason.none
    public var explanation = ""
    public var rejection: Rejection?
    /// What starts at once: each gang's places in the order of its ranks. Of an array 256 gangs at most are looked at.
    public var gangs: [[TaskPlace]] = []
    public var position: QueuePosition?
    public var start: StartForecast?
    /// Gangs that would be stopped so that its first can start, a while after it has been submitted.
    public var victims: [Victim] = []
    /// How long each gang is expected to run.
    public var expectedRun: Span
    /// Of one gang, as the nodes would grant it if they were idle.
    public var computeUnitsMilli: Int64 = 0
    public var alterations: [Alteration] = []
    public var sentences: [String] = []

    init(revision: UInt64, expectedRun: Span) {
        self.revision = revision
        self.expectedRun = expectedRun
    }
}

extension SchedulerCore {
    func expectedRun(of submission: Submission) -> Span {
        let kinds = RunTimeKey.kinds(of: submission.specification, user: submission.user)
        return outlook(of: submission.specification, kinds: kinds, after: .zero).mean
    }

    /// Compute units that one gang would hold, in thousandths.
    func computeUnits(of specification: JobSpecification) -> Int64 {
        guard let places = offers.placesWhenIdle(RequestClass(of: specification)) else { return 0 }
        return amounts(of: places)[.computeUnits]
    }

    func dependenciesAreMet(of specification: JobSpecification) -> Bool {
        specification.dependencies.allSatisfy { outcome(of: $0) == .met }
    }

    /// Queues that jobs may be in: the described ones without queues in them, and the one that always is.
    var openQueues: [String] {
        let described = shareObjects.keys.filter { $0.kind == .queue }.map(\.name)
        return Set(described + [QueueRecord.usualName]).sorted().filter { name in
            guard let id = accounts.known(queue: name) else { return true }
            return id != .root && !accounts[id].children.contains { accounts[$0].level == .queue }
        }
    }

    /// Whether it would be accepted, in the place of the job that it is a change of.
    func isAcceptable(_ specification: JobSpecification, user: String, at now: LogicalTime) -> Bool {
        (try? requireAcceptable(specification, user: user, at: now)) != nil
    }

    /// Why a submission that is acceptable would wait.
    func waitingCause(of submission: Submission, aside: Set<NodeID>, at now: LogicalTime) -> (reason: Reason, sentence: String) {
        let specification = submission.specification
        if specification.isHeld { return (.hold, "held; it goes on when it is released") }
        if let dependency = specification.dependencies.first(where: { outcome(of: $0) != .met }) {
            return (.dependency, "waits for job \(dependency.job) \(dependency.condition.wish)")
        }
        if let begin = specification.beginAt, begin > now { return (.beginTime, "waits for its begin time") }
        if let applicant = limitedApplicant(specification, user: submission.user), let miss = limitMiss(of: applicant) {
            return (.quota, miss.sentence)
        }
        let explanation = WaitingExplanation(of: RequestClass(of: specification), on: offers, aside: aside)
        return (explanation.reason, explanation.sentence)
    }

    /// nil: nobody would be stopped for it.
    func preemptionCandidate(of submission: Submission) -> PreemptionCandidate? {
        let specification = submission.specification
        guard let queue = accounts.known(queue: specification.queue) else { return nil }
        let (account, missing) = accounts.known(AccountName(of: specification, user: submission.user))
        let tenant = missing.contains(.tenant) ? nil : accounts.ancestor(of: account, at: .tenant)
        return preemptionCandidate(
            JobID(lastJob + 1), RequestClass(of: specification).leastAmounts, priority: specification.priority, tenant: tenant,
            queue: queue,
            wasPreempted: false)
    }
}
