import NIOCore
import Synchronization

/// Tells long answers that the server stops: a graceful stop waits for answers in progress, and one that follows a
/// log would last as long as its job.
final class StopSignal: Sendable {
    private struct State {
        var isStopping = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    func stop() {
        let waiters = state.withLock { state in
            state.isStopping = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns when the server stops or the task is cancelled.
    func wait() async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isStopping || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}

/// Hears the quiescing event that the server sends down each connection and passes it on. A client that has stopped
/// reading holds the stop up no longer than `graceAmount`.
final class StopListener: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private static let graceAmount = TimeAmount.seconds(10)

    private let signal: StopSignal

    init(_ signal: StopSignal) { self.signal = signal }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            signal.stop()
            let channel = context.channel
            context.eventLoop.scheduleTask(in: Self.graceAmount) { channel.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }
}
