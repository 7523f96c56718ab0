public import ClusterModel

/// The agent's side of the agent protocol. Everything happens on the poll loop that the link was made with.
public protocol CoordinatorLink: AnyObject, Sendable {
    /// Connects, reconnecting by itself with jittered back-off until `close`.
    func open(handler: any CoordinatorLinkHandler) throws(TransportError)
    /// Queues a message; dropped when not connected (the next registration carries everything that mattered).
    func send(_ message: AgentMessage)
    /// False when the log socket's queue is full: try again after the next acknowledgement.
    func send(_ chunk: LogChunk) -> Bool
    func close()
}

/// Called on the loop's thread.
public protocol CoordinatorLinkHandler: Sendable {
    /// A handshake succeeded: register now.
    func connected()
    func disconnected()
    func received(_ messages: [CoordinatorMessage])
    func received(_ acks: [LogAck])
}
