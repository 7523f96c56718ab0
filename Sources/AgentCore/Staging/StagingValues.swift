// What passes between the agent's machine and what moves files. That one copies, fetches and keeps; it decides nothing.

public import ClusterModel

/// Everything needed to prepare one attempt's files. Nothing is left to choose.
public struct StageOrder: Hashable, Sendable {
    public var attempt: AttemptID
    public var fence: Fence
    /// The attempt's own, to be made anew and filled; empty where the task has no inputs or outputs.
    public var workDirectory: String
    public var userID: UInt32
    public var groupID: UInt32
    public var inputs: [JobInput]
    public var outputs: [JobOutput]
    /// In clear: names and contents of files in `secretsDirectory`.
    public var secretFiles: [SealedVariable]
    /// Where those go, in memory; empty where there are none.
    public var secretsDirectory: String
    public var pass: [UInt8]

    public init(
        attempt: AttemptID, fence: Fence, workDirectory: String, userID: UInt32, groupID: UInt32, inputs: [JobInput],
        outputs: [JobOutput], secretFiles: [SealedVariable], secretsDirectory: String, pass: [UInt8]
    ) {
        self.attempt = attempt
        self.fence = fence
        self.workDirectory = workDirectory
        self.userID = userID
        self.groupID = groupID
        self.inputs = inputs
        self.outputs = outputs
        self.secretFiles = secretFiles
        self.secretsDirectory = secretsDirectory
        self.pass = pass
    }
}

/// A fact told by what moves files.
public enum StagingEvent: Hashable, Sendable {
    /// The files are in place.
    case staged(AttemptID, Fence)
    /// The secrets are gone and the outputs kept; the text says what was missing, empty when nothing was.
    case collected(AttemptID, Fence, problem: String)
    /// It cannot be done, and trying again would not help; the text says why.
    case failed(AttemptID, Fence, problem: String)
}

/// What an attempt has that must be seen to after its process has ended.
enum FileDuty: UInt8, CanonicalTag, Hashable {
    case none = 0
    /// Files to take away, outputs to keep.
    case staged = 1
}
