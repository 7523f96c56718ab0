/// One thread that waits for descriptors and sockets and runs jobs of the actors pinned to it.
///
/// An actor that names the loop as its executor can touch what the loop watches without a hop; handlers are called
/// on the loop's thread, so they may use `assumeIsolated` of such an actor.
public protocol PollLoop: SerialExecutor {
    /// Calls `onReadable` on the loop's thread whenever `descriptor` is readable (level-triggered) or has hung up.
    /// Callable from the loop's thread only.
    func watch(_ descriptor: Int32, onReadable: @escaping @Sendable () -> Void)
    /// Callable from the loop's thread only.
    func unwatch(_ descriptor: Int32)
}
