import AgentCore
import ClusterModel
import FoundationEssentials
import Glibc
import Logging

/// Where the platform and tasks leave words for each other: for each attempt a directory that only the agent changes, in it the notice, which
/// the agent writes, and the checkpoint file, which is the task's to touch. On the node's own disk: no look waits for a file server.
struct TaskMailboxes {
    let root: String
    let logger: Logger

    private func directory(_ attempt: AttemptID) -> String { "\(root)/\(attempt)" }

    /// The file is there from the start and of no time at all, so that any other says that it was touched. Nothing that an earlier attempt of
    /// that number left is for this one.
    func open(_ attempt: AttemptID, for account: UserAccount) {
        let directory = directory(attempt)
        remove(attempt)
        // Whatever the agent's own mask is.
        guard mkdir(directory, 0o711) == 0, chmod(directory, 0o711) == 0 else { return complain("made", attempt) }
        let path = "\(directory)/\(TaskMail.checkpoint)"
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return complain("made", attempt) }
        defer { close(file) }
        let never = [timespec(tv_sec: 0, tv_nsec: 0), timespec(tv_sec: 0, tv_nsec: 0)]
        let isOwned = geteuid() != 0 || fchown(file, account.userID, account.groupID) == 0
        if futimens(file, never) != 0 || !isOwned { complain("made", attempt) }
    }

    func read(_ attempts: [AttemptID]) -> [TaskMail.Read] {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return attempts.compactMap { attempt in
            var status = stat()
            guard lstat("\(directory(attempt))/\(TaskMail.checkpoint)", &status) == 0 else { return nil }
            // Before the epoch, or so far ahead that it is no time: as if it had not been touched.
            let stamp = max(0, Self.nanoseconds(status.st_mtim))
            return TaskMail.Read(attempt: attempt, stamp: stamp, age: max(0, Self.nanoseconds(now) - stamp))
        }
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (seconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? 0 : seconds.addingReportingOverflow(Int64(time.tv_nsec)).partialValue
    }

    /// Appears whole or not at all. Times of the wall clock, which is what a task knows, and how long there is.
    func give(_ notice: TaskMail.Notice, to attempt: AttemptID, now: Int64) {
        let left = max(0, notice.killAt - now)
        let killAt = Date().addingTimeInterval(Double(left) / 1e9).formatted(.iso8601)
        let text = """
            {"reason":"\(notice.reason.name)","killAt":"\(killAt)","graceSeconds":\((left + 999_999_999) / 1_000_000_000)}

            """
        let path = "\(directory(attempt))/\(TaskMail.notice)"
        let draft = path + ".new"
        let file = Glibc.open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { return complain("given its notice", attempt) }
        let bytes = Array(text.utf8)
        // Whatever the agent's own mask is.
        let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count && fchmod(file, 0o644) == 0
        close(file)
        if !isWritten || rename(draft, path) != 0 { complain("given its notice", attempt) }
    }

    func remove(_ attempt: AttemptID) {
        let directory = directory(attempt)
        for name in [TaskMail.notice, TaskMail.notice + ".new", TaskMail.checkpoint] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    func sweep(keeping attempts: [AttemptID]) {
        let kept = Set(attempts.map(\.description))
        guard let entries = opendir(root) else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !kept.contains(name), let attempt = AttemptID(parsing: name) { remove(attempt) }
        }
    }

    /// A task without one runs all the same: nobody hears of its checkpoints, and it is only signalled.
    private func complain(_ what: String, _ attempt: AttemptID) {
        logger.warning("a task cannot be \(what) a mailbox: \(String(cString: strerror(errno)))", metadata: ["attempt": "\(attempt)"])
    }
}
