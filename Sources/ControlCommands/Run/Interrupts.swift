import Dispatch
import Glibc

/// Signals as values. They no longer end the process once a stream of them exists.
enum Interrupts {
    static func stream(of signals: [Int32]) -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        let sources = signals.map { number in
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return Source(source)
        }
        continuation.onTermination = { _ in sources.forEach { $0.source.cancel() } }
        return stream
    }

    /// A dispatch source may be cancelled from anywhere.
    private struct Source: @unchecked Sendable {
        let source: any DispatchSourceSignal
        init(_ source: any DispatchSourceSignal) { self.source = source }
    }
}
