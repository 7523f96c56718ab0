import HummingbirdCore
import Logging
import NIOCore

/// HTTP/1.1 connections whose tasks run on the thread that reads and writes their socket. A request then costs two
/// hand-overs between threads, to the deciding one and back, instead of five.
///
/// What a request does delays the others of its thread, so nothing there blocks: the store is read on threads of its
/// own, and pages of answers are bounded.
struct PinnedChannel: ServerChildChannel {
    let channel: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        self.channel.setup(channel: channel, logger: logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await channel.handle(value: value, logger: logger)
        }
    }
}

private final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        loop.execute { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
