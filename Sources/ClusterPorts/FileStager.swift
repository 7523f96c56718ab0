public import AgentCore
public import ClusterModel

/// Brings the files of attempts to the node and keeps what they leave behind (Protocols/files.md, "On the node"). Calls
/// return at once; each `stage` and `collect` has one event as its answer, unless it is abandoned. A second call about an
/// attempt that is being seen to does nothing.
public protocol FileStager: Sendable {
    /// Calls `onEvent` from then on, from any thread.
    func start(onEvent: @escaping @Sendable (StagingEvent) -> Void)
    /// Where the coordinator serves files from now on.
    func use(_ service: FileService)
    func stage(_ order: StageOrder)
    func collect(_ attempt: AttemptID, _ fence: Fence)
    func abandon(_ attempt: AttemptID, _ fence: Fence)
    func discard(_ attempt: AttemptID)
    func sweep(keeping attempts: [AttemptID])
    /// Ends what is under way without events; the next process begins it anew.
    func stop() async
}
