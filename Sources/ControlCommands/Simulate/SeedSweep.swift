import Dispatch
import Glibc
import SimulationKit
import Synchronization

/// Starts workers, one share of the seeds for each, and puts together what they say.
final class SeedSweep: Sendable {
    struct Outcome: Sendable {
        var text: String
        var exitCode: Int32
    }

    /// A worker ended by a signal, or in no way that it knows.
    static let crashCode: Int32 = 70

    private struct State {
        var sums = SeedSums()
        var begun = 0
        var running: [pid_t] = []
        /// The first worker that failed. All others are stopped, and how they end says nothing about their seeds.
        var failing: pid_t?
        var failure: (seed: UInt64, code: Int32, text: [String])?
    }

    private let seeds: SeedRange
    private let workers: Int
    private let traceLines: Int
    private let console: Console
    private let program: String
    private let state = Mutex(State())

    /// - Parameter program: What the workers run.
    init(seeds: SeedRange, workers: Int, traceLines: Int, console: Console, program: String = "/proc/self/exe") {
        self.seeds = seeds
        self.workers = workers
        self.traceLines = traceLines
        self.console = console
        self.program = program
    }

    func run() async -> Outcome {
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<workers {
                let share = SeedShare(index: UInt64(index), of: UInt64(workers))
                group.addTask {
                    await withCheckedContinuation { continuation in
                        // A thread of its own: it waits for the worker's lines.
                        DispatchQueue(label: "suanpan.seeds.\(index)").async {
                            self.follow(share)
                            continuation.resume()
                        }
                    }
                }
            }
        }
        return state.withLock { state in
            if let failure = state.failure {
                return Outcome(text: "seed \(failure.seed) fails\n" + failure.text.joined(separator: "\n") + "\n", exitCode: failure.code)
            }
            guard UInt64(state.sums["seeds"]) == seeds.count else {
                let text = "only \(state.sums["seeds"]) of \(seeds.count) seeds were run to their end\n"
                return Outcome(text: text, exitCode: Self.crashCode)
            }
            let facts = state.sums.named.map { ($0.name, String?.some("\($0.count)")) }
            return Outcome(text: "seeds \(seeds) hold every promise\n\n" + Facts.text(facts), exitCode: 0)
        }
    }

    private func follow(_ share: SeedShare) {
        guard let worker = start(share) else {
            stopOthers(than: -1)
            return state.withLock { $0.failure = $0.failure ?? (seeds.first, Self.crashCode, ["a worker cannot be started"]) }
        }
        var seed = seeds.first + share.index
        var text: [String] = []
        var buffer: UnsafeMutablePointer<CChar>?
        var capacity = 0
        while getline(&buffer, &capacity, worker.output) > 0, let buffer {
            let line = String(cString: buffer).dropLast()
            let word = line.prefix { $0 != "\t" }
            let rest = String(line.dropFirst(word.count + 1))
            switch SeedWorker.Line(rawValue: String(word)) {
            case .seed:
                seed = UInt64(rest) ?? seed
                tellProgress()
            case .sum:
                let parts = rest.split(separator: "\t")
                if parts.count == 2, let count = Int(parts[1]) { state.withLock { $0.sums.add(String(parts[0]), count) } }
            case .failed: stopOthers(than: worker.pid)
            case .text: text.append(rest)
            case nil: break
            }
        }
        free(buffer)
        fclose(worker.output)
        var status: Int32 = 0
        while waitpid(worker.pid, &status, 0) < 0, errno == EINTR {}
        note(seed, status, text, worker.pid)
    }

    private func note(_ seed: UInt64, _ status: Int32, _ text: [String], _ pid: pid_t) {
        let isExit = status & 0x7F == 0
        let code = isExit ? (status >> 8) & 0xFF : Self.crashCode
        // A worker that crashed could not say that it failed.
        if code != 0 { stopOthers(than: pid) }
        state.withLock { state in
            state.running.removeAll { $0 == pid }
            guard code != 0, state.failing == pid else { return }
            let known = isExit && PlanReduction.Kind(rawValue: code) != nil
            let crash = ["\(SimulationPlan(seed: seed))", "the process ended " + (isExit ? "with \(code)" : "by signal \(status & 0x7F)")]
            state.failure = (seed, known ? code : Self.crashCode, text.isEmpty ? crash : text)
        }
    }

    /// One failure is enough to look at: the first one. A worker that was stopped stops nobody.
    private func stopOthers(than pid: pid_t) {
        state.withLock { state in
            guard state.failing == nil else { return }
            state.failing = pid
            for other in state.running where other != pid { kill(other, SIGTERM) }
        }
    }

    private func tellProgress() {
        let begun = state.withLock { state in
            state.begun += 1
            return state.begun
        }
        if begun % 500 == 0 { console.note("\(begun) of \(seeds.count) seeds") }
    }

    private func start(_ share: SeedShare) -> (pid: pid_t, output: UnsafeMutablePointer<FILE>)? {
        var ends: [Int32] = [-1, -1]
        // A worker that held another's end would keep it open. Marked as it is made, unlike a pipe: none begins in between.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else { return nil }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        // The thread that runs this blocks most signals, and the process may ignore some; a worker must end when it is told
        // to, and with a Ctrl-C.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGTERM, SIGINT] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let texts = ["suanpan", "simulate", "chaos", "--seeds", "\(seeds)", "--share", "\(share)", "--trace", "\(traceLines)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        defer { arguments.forEach { free($0) } }
        arguments.append(nil)
        var pid: pid_t = 0
        guard posix_spawn(&pid, program, &actions, &attributes, arguments, environ) == 0, let output = fdopen(ends[0], "r") else {
            close(ends[0])
            return nil
        }
        state.withLock { [pid] state in
            state.running.append(pid)
            if state.failing != nil { kill(pid, SIGTERM) }
        }
        return (pid, output)
    }
}
