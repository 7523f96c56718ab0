public import AgentCore
public import ClusterModel

/// Starts, confines, signals and reaps the processes of attempts. Effects are idempotent: a second `launch` of an
/// attempt that the driver knows, and a signal to one that it does not know, do nothing.
///
/// All calls and all events happen on the poll loop that the driver was made with; nothing here suspends.
public protocol TaskDriver: AnyObject, Sendable {
    /// Connects (starting what must be started) and from then on calls `onEvents` on the loop's thread. The first
    /// event is `.recovered`.
    func start(onEvents: @escaping @Sendable ([DriverEvent]) -> Void) throws(TaskDriverError)
    func launch(_ orders: [LaunchOrder])
    /// Successors that wait in their slot never start; they end `notStarted`. To others nothing happens.
    func withdraw(_ attempts: [AttemptID])
    /// Sends SIGTERM or SIGKILL to every process of the attempt's group (SIGKILL reaches all of them, forks included), another signal
    /// to its first process.
    func signal(_ attempt: AttemptID, _ signal: Int32)
    /// Forgets ended attempts and removes their kept output.
    func release(_ attempts: [AttemptID])
    /// Attempts whose order depends on the lease end when this instant (CLOCK_BOOTTIME, nanoseconds) has passed and no later
    /// one was given, whatever has become of the caller.
    func holdLease(until instant: Int64)
    /// Up to `limit` bytes of a stream from `offset`; empty when there are none (yet).
    func readOutput(_ attempt: AttemptID, _ stream: OutputStream, offset: Int64, limit: Int) throws(TaskDriverError) -> [UInt8]
    /// Ends the driver's own helper when it runs nothing; running attempts are left alone.
    func shutDownIfIdle()
}

/// A failure of a task driver: what was tried and what the system said.
public struct TaskDriverError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        private enum Value { case unavailable, refused, io }
        private let value: Value
        /// The driver's helper cannot be started or reached.
        public static let unavailable = Code(value: .unavailable)
        /// The request itself is not acceptable.
        public static let refused = Code(value: .refused)
        /// The system refused a read or write.
        public static let io = Code(value: .io)
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
