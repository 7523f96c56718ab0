public import ClusterModel

/// Why a command is refused: a normal answer, not a failure. `code` is stable and part of the interface.
public enum Rejection: Error, Hashable, Sendable {
    case invalid([FieldError])
    /// No node, known or silent, can ever hold one gang of this job.
    case unsatisfiable([FieldError])
    case jobNotFound(JobID)
    case nodeNotFound(NodeID)
    case keyNotFound(String)
    /// What does not exist, as the beginning of a sentence.
    case notFound(String)
    /// The state forbids it, such as the retry of a job that has not ended.
    case conflict(String)
    /// It is no longer what the request says it was; what it is, as the beginning of a sentence.
    case changed(String)
    /// The state is no longer of the version that the request was made for.
    case moved(from: UInt64, to: UInt64)
    /// More than a quota allows, or a queue can ever hold.
    case quota(QuotaMiss)
    /// The same Idempotency-Key came with another body.
    case keyReused(String)
    case tooManyKeys(limit: UInt32)
    case enrollment(code: String, message: String)
    case registration(Refusal)
    /// Nodes know of a later time than the state (`SchedulerLimits.outdatedText`).
    case outdated
    /// A report or timer of a session that is over; nothing to do, nothing to say.
    case stale

    public var code: String {
        switch self {
        case .invalid: "invalid"
        case .unsatisfiable: "unsatisfiable"
        case .jobNotFound, .nodeNotFound, .keyNotFound, .notFound: "not_found"
        case .conflict: "conflict"
        case .changed: "changed"
        case .moved: "state_moved"
        case .quota: "quota"
        case .keyReused: "idempotency_key_reused"
        case .tooManyKeys: "too_many_idempotency_keys"
        case .enrollment(let code, _): code
        case .registration: "registration"
        case .outdated: "state_outdated"
        case .stale: "stale"
        }
    }
}

/// The outcome of a command that was not refused.
public enum Answer: Hashable, Sendable {
    /// `isReplay`: an earlier submission with the same key had already made the job.
    case job(JobID, isReplay: Bool)
    case node(NodeID)
    case done
}

public struct Reply: Hashable, Sendable {
    public var token: RequestToken
    public var result: Result<Answer, Rejection>
    /// The state version that a reader must have reached to see the outcome.
    public var revision: UInt64

    public init(token: RequestToken, result: Result<Answer, Rejection>, revision: UInt64) {
        self.token = token
        self.result = result
        self.revision = revision
    }
}
