// A daemon as a child of `up`: in a session of its own, so that a terminal's Ctrl-C reaches only `up`; with a pipe on
// which it says that it is ready, and another whose end tells it that `up` has gone.

import Dispatch
import Glibc
import Synchronization

final class ChildProcess: Sendable {
    /// What to start, and where its output goes.
    struct Launch: Hashable, Sendable {
        var program: String
        var arguments: [String]
        var logFile: String
    }

    /// The descriptors that daemons are told of by `--ready-fd` and `--parent-fd`.
    static let readyDescriptor: Int32 = 3
    static let parentDescriptor: Int32 = 4
    /// POSIX_SPAWN_SETSID of <spawn.h>, which shows it only to _GNU_SOURCE.
    private static let spawnInNewSession: Int16 = 0x80

    private enum State {
        case running
        case ended(Int32)
    }

    let pid: pid_t
    /// Length of the log before this child wrote to it.
    let logOffset: Int64
    private let ready: Int32
    private let parent: Int32
    private let state = Mutex(State.running)

    init(_ launch: Launch) throws(CommandFailure) {
        let log = open(launch.logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard log >= 0 else { throw CommandFailure(.failed, "\(launch.logFile): \(SystemError.text(errno))") }
        defer { close(log) }
        logOffset = Int64(lseek(log, 0, SEEK_END))
        guard let null = Self.highDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)), let readyPipe = Self.pipe() else {
            throw CommandFailure(.failed, "cannot start \(launch.program): \(SystemError.text(errno))")
        }
        guard let parentPipe = Self.pipe() else {
            for descriptor in [null, readyPipe.read, readyPipe.write] { close(descriptor) }
            throw CommandFailure(.failed, "cannot start \(launch.program): \(SystemError.text(errno))")
        }
        let result = Self.spawn(
            launch, descriptors: [0: null, 1: log, 2: log, Self.readyDescriptor: readyPipe.write, Self.parentDescriptor: parentPipe.read])
        for descriptor in [null, readyPipe.write, parentPipe.read] { close(descriptor) }
        (ready, parent) = (readyPipe.read, parentPipe.write)
        pid = result.pid
        guard result.error == 0 else {
            close(ready)
            close(parent)
            throw CommandFailure(.failed, "cannot start \(launch.program): \(SystemError.text(result.error))")
        }
    }

    /// Reports what becomes of the child: once the first line on its ready pipe (nil: it closed the pipe without one), and
    /// once how it ended. Each is waited for by a thread of its own, since neither wait can be cancelled.
    func watch(ready onReady: @escaping @Sendable (String?) -> Void, ended onEnd: @escaping @Sendable (Int32) -> Void) {
        DispatchQueue(label: "suanpan.ready.\(pid)").async { [self] in
            let line = Self.firstLine(of: ready)
            close(ready)
            onReady(line)
        }
        DispatchQueue(label: "suanpan.wait.\(pid)").async { [self] in onEnd(wait()) }
    }

    /// Sends a signal, unless the child has ended: its number may be another's by then.
    func signal(_ number: Int32) {
        state.withLock { if case .running = $0 { _ = kill(pid, number) } }
    }

    /// 128 + n for a signal.
    private func wait() -> Int32 {
        var info = siginfo_t()
        // Look first and reap under the lock, so that no signal can go to a reused number.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            close(parent)
            let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
            state = .ended(code)
            return code
        }
    }

    private static func firstLine(of descriptor: Int32) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < 4096 {
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return nil }
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// The same file under a number that collides with none that a child gets.
    private static func highDescriptor(_ descriptor: Int32) -> Int32? {
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let high = fcntl(descriptor, F_DUPFD_CLOEXEC, 10)
        return high >= 0 ? high : nil
    }

    private static func pipe() -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { return nil }
        guard let read = highDescriptor(ends[0]), let write = highDescriptor(ends[1]) else { return nil }
        return (read, write)
    }

    /// What whoever started us left open is no business of the daemons: they live long, and would hold it.
    private static func closeInheritedOnExec() {
        guard let directory = opendir("/proc/self/fd") else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let descriptor = Int32(name), descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    private static func spawn(_ launch: Launch, descriptors: [Int32: Int32]) -> (pid: pid_t, error: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in descriptors.sorted(by: { $0.key < $1.key }) {
            posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        closeInheritedOnExec()
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks is no business of the daemons.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, spawnInNewSession | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
        let name = launch.program.split(separator: "/").last.map(String.init) ?? launch.program
        var arguments: [UnsafeMutablePointer<CChar>?] = ([name] + launch.arguments).map { strdup($0) }
        defer { arguments.forEach { free($0) } }
        arguments.append(nil)
        var pid: pid_t = 0
        let error = posix_spawn(&pid, launch.program, &actions, &attributes, arguments, environ)
        return (pid, error)
    }
}
