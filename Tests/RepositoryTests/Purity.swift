// What the core's machine code asks of the outside: the undefined symbols of its object files.
//
// The import table cannot see what the standard library itself offers (chance, clocks, tasks, files); the linker can.

import Foundation

enum Purity {
    /// Parts of symbols, as the linker sees them or demangled, and what they give away.
    static let banned: [(part: String, meaning: String)] = [
        ("swift_stdlib_random", "draws chance"),
        ("SystemRandomNumberGenerator", "draws chance"),
        ("arc4random", "draws chance"),
        ("getrandom", "draws chance"),
        ("ContinuousClock", "reads a clock"),
        ("SuspendingClock", "reads a clock"),
        ("clock_gettime", "reads a clock"),
        ("gettimeofday", "reads a clock"),
        ("swift_task_", "runs a task"),
        ("swift_asyncLet_", "runs a task"),
        ("swift_continuation_", "runs a task"),
        ("swift_job_", "runs a task"),
        ("Swift.print(", "prints"),
        ("Swift.debugPrint(", "prints"),
        ("Swift.readLine(", "reads input"),
        ("Swift.Hasher.init() ->", "hashes with a seed of the process"),
        ("Foundation.", "uses Foundation"),
        ("FoundationEssentials.", "uses Foundation"),
        ("Dispatch.", "uses Dispatch"),
        ("dispatch_", "uses Dispatch"),
        ("Synchronization.", "shares state between threads"),
        ("pthread_", "uses threads"),
    ]

    /// Functions of the C library, by their whole name.
    static let bannedFunctions: Set<String> = [
        "time", "rand", "random", "drand48", "getenv", "getpid", "gethostname", "open", "openat", "close", "read", "write", "fopen",
        "fwrite",
        "fread", "fputs", "printf", "fprintf", "puts", "putchar", "socket", "connect", "fork", "execve", "posix_spawn", "usleep",
        "nanosleep",
        "sleep", "syscall", "dlopen", "dlsym",
    ]

    struct Symbol: Equatable {
        var raw: String
        var demangled: String
    }

    static func findings(in symbols: [Symbol], object: String) -> [Finding] {
        symbols.compactMap { symbol in
            let part = banned.first { symbol.raw.contains($0.part) || symbol.demangled.contains($0.part) }
            guard let meaning = part?.meaning ?? (bannedFunctions.contains(symbol.raw) ? "calls the C library" : nil) else { return nil }
            return Finding(path: object, line: 0, message: "\(meaning): \(symbol.demangled)")
        }
    }

    /// The undefined symbols of an object file, from `nm -u` piped through `swift demangle`.
    static func undefinedSymbols(of object: URL) throws -> [Symbol] {
        let raw = try run(["nm", "--undefined-only", "--format=just-symbols", object.path]).split(separator: "\n").map(String.init)
        let names = try run(["swift", "demangle", "--compact"], input: raw.joined(separator: "\n") + "\n")
        let demangled = names.split(separator: "\n").map(String.init)
        guard demangled.count == raw.count else { throw CommandFailure(command: ["swift", "demangle", object.path], status: 0) }
        return zip(raw, demangled).map { Symbol(raw: $0, demangled: $1) }
    }

    /// Object files of a target as it is now. An incremental build leaves those of removed sources behind: they do not
    /// count, and a source without an object means that this is not the folder the sources were built into.
    static func objects(of target: String, buildFolder: URL) throws -> [URL] {
        let folder = buildFolder.appendingPathComponent("\(target).build")
        let sources = try Checkout.swiftFiles(below: "Sources/\(target)")
        guard !sources.isEmpty else { throw MissingObject(path: "Sources/\(target)") }
        return try sources.map { source in
            let object = folder.appendingPathComponent("\(source.name).o")
            guard FileManager.default.fileExists(atPath: object.path) else { throw MissingObject(path: object.path) }
            return object
        }
    }

    struct MissingObject: Error, CustomStringConvertible {
        var path: String
        var description: String { "nothing to check at \(path)" }
    }

    /// Where this test's own program lies, which is where SwiftPM built the core.
    static func buildFolder() throws -> URL {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: program).deletingLastPathComponent()
    }
}
