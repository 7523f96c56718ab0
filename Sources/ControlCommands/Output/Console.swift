// Where a verb writes: results to standard output, everything for people to standard error.

import Glibc
import Synchronization

/// Takes bytes at once; a call's bytes are never mixed with another's.
protocol ByteSink: Sendable {
    func write(_ bytes: [UInt8])
}

/// What a verb knows of its two outputs.
struct Console: Sendable {
    var output: any ByteSink
    var errors: any ByteSink
    var outputIsTerminal: Bool
    var errorsIsTerminal: Bool
    /// States are coloured: only on a terminal, and not with `NO_COLOR`.
    var hasColour: Bool

    init(
        output: any ByteSink, errors: any ByteSink, outputIsTerminal: Bool = false, errorsIsTerminal: Bool = false, hasColour: Bool = false
    ) {
        self.output = output
        self.errors = errors
        self.outputIsTerminal = outputIsTerminal
        self.errorsIsTerminal = errorsIsTerminal
        self.hasColour = hasColour
    }

    /// The process's own.
    static func process(environment: [String: String]) -> Console {
        let outputIsTerminal = isatty(STDOUT_FILENO) == 1
        let noColour = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Console(
            output: DescriptorSink(descriptor: STDOUT_FILENO), errors: DescriptorSink(descriptor: STDERR_FILENO),
            outputIsTerminal: outputIsTerminal, errorsIsTerminal: isatty(STDERR_FILENO) == 1,
            hasColour: outputIsTerminal && !noColour && environment["TERM"] != "dumb")
    }

    func print(_ line: String) { output.write(Array((line + "\n").utf8)) }
    func write(_ text: String) { output.write(Array(text.utf8)) }
    func note(_ line: String) { errors.write(Array((Printable.line(line) + "\n").utf8)) }
    /// Takes away what a line that rewrites itself has left on a terminal.
    func clearLine() {
        if errorsIsTerminal { errors.write(Array("\r\u{1B}[K".utf8)) }
    }

    func report(_ failure: CommandFailure) { errors.write(Array(failure.text.utf8)) }
}

/// Writes to a descriptor until all is written.
final class DescriptorSink: ByteSink {
    private let descriptor: Int32
    private let lock = Mutex(())

    init(descriptor: Int32) { self.descriptor = descriptor }

    func write(_ bytes: [UInt8]) {
        lock.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = Glibc.poll(&poll, 1, -1)
                } else if errno != EINTR {
                    // The reader has gone (`suanpan jobs | head`): end as SIGPIPE would, which the HTTP client ignores.
                    _exit(errno == EPIPE ? 128 + SIGPIPE : ExitStatus.failed.rawValue)
                }
            }
        }
    }
}
