import Synchronization

@testable import ControlCommands

/// Keeps what a verb wrote.
final class MemorySink: ByteSink {
    private let bytes = Mutex<[UInt8]>([])
    func write(_ new: [UInt8]) { bytes.withLock { $0 += new } }
    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}

/// A console whose output can be read back.
struct MemoryConsole {
    let output = MemorySink()
    let errors = MemorySink()

    var console: Console { Console(output: output, errors: errors) }

    func context(_ server: StubCoordinator) -> CommandContext {
        CommandContext(console: console, environment: ["SUANPAN_URL": server.url, "SUANPAN_API_KEY": "sp_test"])
    }
}

extension CommandLineEntry {
    /// Runs one command line against a stub.
    static func run(_ line: [String], on server: StubCoordinator, _ console: MemoryConsole) async -> Int32 {
        await run(line, in: console.context(server))
    }
}
