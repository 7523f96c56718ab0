import ArgumentParser
import Glibc

struct DoctorCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check this machine and its coordinator, and say what to mend.",
        discussion: "EXAMPLE: suanpan doctor")

    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let checks = HostChecks.all(environment: context.environment, dataDirectory: connection.dataDirectory)
        let coordinator = await CoordinatorChecks.all(connection: connection, context: context)
        var hasFailed = false
        for check in checks + coordinator {
            context.console.write(check.text(hasColour: context.console.hasColour))
            hasFailed = hasFailed || check.verdict == .bad
        }
        if hasFailed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}

/// One thing that was looked at.
struct Check: Hashable, Sendable {
    enum Verdict: Hashable, Sendable {
        case good
        /// It works, but not all of it.
        case limited
        case bad
    }

    var verdict: Verdict
    var finding: String
    /// What to do; only where there is something to mend.
    var remedy: String?

    init(_ verdict: Verdict, _ finding: String, remedy: String? = nil) {
        self.verdict = verdict
        self.finding = finding
        self.remedy = remedy
    }

    func text(hasColour: Bool) -> String {
        let (mark, tint): (String, Tint) =
            switch verdict {
            case .good: ("ok  ", .green)
            case .limited: ("note", .yellow)
            case .bad: ("bad ", .red)
            }
        let line = (hasColour ? tint.apply(to: mark) : mark) + "  " + Printable.line(finding) + "\n"
        return line + (remedy.map { "      " + Printable.line($0) + "\n" } ?? "")
    }
}

enum HostChecks {
    static func all(environment: [String: String], dataDirectory: String?) -> [Check] {
        let programs = ProgramSearch.process(environment: environment)
        return ["suanpan-coordinator", "suanpan-agent", "suanpan-launcher"].map { program($0, in: programs) }
            + [controlGroups(), directory(DataDirectory.resolve(option: dataDirectory, environment: environment)), kernel()]
    }

    private static func program(_ name: String, in programs: ProgramSearch) -> Check {
        do throws(CommandFailure) {
            return Check(.good, "\(name) at \(try programs.path(of: name))")
        } catch {
            return Check(.bad, error.message, remedy: "install it beside suanpan or in ../libexec/suanpan")
        }
    }

    /// Limits need cgroup v2 and the right to make groups.
    private static func controlGroups() -> Check {
        guard let content = FileContent.read(path: "/sys/fs/cgroup/cgroup.controllers", limit: 4096) else {
            return Check(
                .limited, "no cgroup v2: memory and CPU limits are not enforced", remedy: "boot with systemd.unified_cgroup_hierarchy=1")
        }
        let controllers = String(decoding: content, as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init)
        let missing = ["cpu", "memory", "pids"].filter { !controllers.contains($0) }
        guard missing.isEmpty else { return Check(.limited, "cgroup v2 lacks the controllers \(missing.joined(separator: ", "))") }
        guard access("/sys/fs/cgroup", W_OK) == 0 || geteuid() != 0 else {
            return Check(.limited, "cgroup v2 is mounted read-only: limits are not enforced")
        }
        return Check(.good, "cgroup v2 with \(controllers.joined(separator: ", "))")
    }

    private static func directory(_ path: String) -> Check {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return Check(.limited, "no data directory at \(path) yet", remedy: "`suanpan up` makes it")
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            return Check(.bad, "\(path): \(SystemError.text(errno))", remedy: "own it, or choose another with --data-dir")
        }
        var space = statvfs()
        guard statvfs(path, &space) == 0 else { return Check(.bad, "\(path): \(SystemError.text(errno))") }
        let free = Int64(clamping: UInt64(space.f_bavail) * UInt64(space.f_frsize))
        guard free >= 1 << 30 else {
            return Check(
                .bad, "\(path) has only \(Humanized.bytes(free)) left", remedy: "the journal stops without room: free at least 1 GiB")
        }
        return Check(.good, "data directory \(path), \(Humanized.bytes(free)) free")
    }

    private static func kernel() -> Check {
        var name = utsname()
        guard uname(&name) == 0 else { return Check(.bad, "uname: \(SystemError.text(errno))") }
        let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isNew = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 7)
        return isNew
            ? Check(.good, "Linux \(release)")
            : Check(.limited, "Linux \(release) is older than 5.7: jobs start outside their cgroup first")
    }
}

enum CoordinatorChecks {
    static func all(connection: ConnectionOptions, context: CommandContext) async -> [Check] {
        do throws(CommandFailure) {
            let client = try context.client(connection)
            let cluster = try await client.get("/v1/cluster")
            var checks = [
                Check(.good, "coordinator at \(client.configuration.url)" + (cluster["epoch"]?.scalarText.map { ", epoch \($0)" } ?? ""))
            ]
            let nodes = try await client.list("/v1/nodes", limit: nil)["items"]?.items ?? []
            checks.append(self.nodes(nodes))
            return checks
        } catch {
            return [Check(.bad, error.message, remedy: error.remedy)]
        }
    }

    private static func nodes(_ nodes: [JSONValue]) -> Check {
        let silent = nodes.filter { $0["state"]?.text != "ready" && $0["state"]?.text != "cordoned" }
        guard !nodes.isEmpty else { return Check(.limited, "no node has joined", remedy: "make a token with `suanpan node token`") }
        guard silent.isEmpty else {
            let names = silent.prefix(5).map { "\($0["name"]?.text ?? "?") (\($0["state"]?.text ?? "?"))" }.joined(separator: ", ")
            return Check(.limited, "\(silent.count) of \(Humanized.count(nodes.count, "node")) not ready: \(names)")
        }
        return Check(.good, "\(Humanized.count(nodes.count, "node")), all well")
    }
}
