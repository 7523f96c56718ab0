import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// HTTP/1.1 connections, over TLS where the interface has it, whose tasks run on the thread that reads and writes their socket. A request then costs two
/// hand-overs between threads, to the deciding one and back, instead of five.
///
/// What a request does delays the others of its thread, so nothing there blocks: the store is read on threads of its
/// own, and pages of answers are bounded.
struct PinnedChannel: ServerChildChannel {
    let channel: HTTP1Channel
    let interface: ServedInterface
    let handshakeLimit: TimeAmount

    /// TLS stands before the handlers of HTTP, among which the connection takes its place: it has one from its first byte on.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        guard let context = interface.context else { return self.channel.setup(channel: channel, logger: logger) }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), HandshakeLimit(handshakeLimit)])
        }.flatMap { self.channel.setup(channel: channel, logger: logger) }
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
