// What follows from a description of a machine.

enum HostFindings {
    static let openFilesWanted: UInt64 = 65_536
    static let freeBytesMin: Int64 = 1 << 30
    static let freeBytesWanted: Int64 = 5 << 30
    static let freeFilesMin: Int64 = 10_000

    static func all(of host: HostDescription) -> [Check] {
        programs(host) + libraries(host) + [kernel(host), controlGroups(host), openFiles(host), clock(host)]
            + host.directories.flatMap { directory($0, userID: host.userID) } + host.settings.map(settings) + host.ports.map(port)
            + (host.units ?? []).map(unit)
    }

    private static func programs(_ host: HostDescription) -> [Check] {
        host.programs.sorted { $0.key < $1.key }.map { name, path in
            guard let path else {
                return Check(
                    "program", .warning, "\(name) is not installed",
                    remedy: "only needed where this machine is to do its part: install it beside suanpan or in ../libexec/suanpan")
            }
            return Check("program", .ok, "\(name) at \(path)")
        }
    }

    private static func libraries(_ host: HostDescription) -> [Check] {
        let missing = host.libraries.filter { !$0.value }.keys.sorted()
        guard !missing.isEmpty else { return host.libraries.isEmpty ? [] : [Check("libraries", .ok, "all libraries are there")] }
        return [
            Check(
                "libraries", .problem, "missing: \(missing.joined(separator: ", "))",
                remedy: "apt-get install libzmq5 libhwloc15 libnuma1 libsqlite3-0")
        ]
    }

    private static func kernel(_ host: HostDescription) -> Check {
        let numbers = host.kernel.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2, (numbers[0], numbers[1]) >= (5, 7) else {
            return Check("kernel", .warning, "Linux \(host.kernel) is older than 5.7: jobs start outside their cgroup first")
        }
        return Check("kernel", .ok, "Linux \(host.kernel)")
    }

    /// Limits need cgroup v2 and the right to make groups.
    private static func controlGroups(_ host: HostDescription) -> Check {
        guard case .version2(let controllers, let isWritable) = host.controlGroups else {
            let found = host.controlGroups == .version1 ? "cgroup v1 only" : "no cgroups"
            return Check(
                "cgroup", .warning, "\(found): limits of memory and CPU are not enforced on jobs",
                remedy: "boot with systemd.unified_cgroup_hierarchy=1")
        }
        let missing = ["cpu", "memory", "pids"].filter { !controllers.contains($0) }
        guard missing.isEmpty else {
            return Check(
                "cgroup", .warning, "cgroup v2 lacks \(missing.joined(separator: ", ")): those limits are not enforced on jobs",
                remedy: "enable them at boot, or for a container give it a hierarchy of its own")
        }
        guard isWritable else {
            return Check(
                "cgroup", .warning, "cgroup v2 is not delegated to this user: limits are not enforced on the jobs of an agent started so",
                remedy: "run the agent as root, or as a unit with Delegate=yes")
        }
        return Check("cgroup", .ok, "cgroup v2 with \(controllers.joined(separator: ", "))")
    }

    private static func openFiles(_ host: HostDescription) -> Check {
        guard host.openFilesMax >= openFilesWanted else {
            return Check(
                "open-files", .warning, "at most \(host.openFilesMax) open files: a coordinator has one for each node and each client",
                remedy: "raise the limit to \(openFilesWanted) (LimitNOFILE= of its unit, or ulimit -Hn)")
        }
        return Check("open-files", .ok, "up to \(host.openFilesMax) open files")
    }

    private static func clock(_ host: HostDescription) -> Check {
        switch host.isClockSynchronised {
        case true: Check("clock", .ok, "the clock is synchronised")
        case false:
            Check(
                "clock", .warning, "the clock is not synchronised: usage records carry what it says",
                remedy: "run chrony or systemd-timesyncd")
        case nil: Check("clock", .warning, "whether the clock is synchronised is not known here")
        }
    }

    private static func directory(_ directory: HostDescription.Directory, userID: UInt32) -> [Check] {
        let path = directory.path
        guard directory.isThere else { return [Check("directory", .ok, "no data directory at \(path) yet; it is made at the first start")] }
        if let error = directory.error {
            let remedy =
                userID == 0 || directory.owner == userID
                ? "mend its permissions, or choose another with --data-dir" : "run this as root or as its owner to look into it"
            return [Check("directory", directory.owner == userID ? .problem : .warning, "\(path): \(error)", remedy: remedy)]
        }
        return [space(directory)] + modes(directory)
    }

    private static func space(_ directory: HostDescription.Directory) -> Check {
        let (path, free) = (directory.path, Humanized.bytes(directory.freeBytes))
        if directory.freeBytes < freeBytesMin {
            return Check(
                "space", .problem, "\(path) has only \(free) left", remedy: "submissions are refused without room: free at least 1 GiB")
        }
        if let files = directory.freeFiles, files < freeFilesMin {
            return Check("space", .problem, "\(path) has only \(files) files (inodes) left", remedy: "remove small files there")
        }
        guard directory.freeBytes >= freeBytesWanted else {
            return Check("space", .warning, "\(path) has \(free) left", remedy: "free more than \(Humanized.bytes(freeBytesWanted))")
        }
        return Check("space", .ok, "data directory \(path), \(free) free")
    }

    private static func modes(_ directory: HostDescription.Directory) -> [Check] {
        var checks: [Check] = []
        if directory.mode & 0o022 != 0 {
            checks.append(
                Check("permissions", .problem, "\(directory.path) can be written by others", remedy: "chmod 711 \(directory.path)"))
        }
        for secret in directory.secrets {
            if secret.mode & 0o077 != 0 {
                checks.append(
                    Check(
                        "permissions", .problem, "\(secret.path) can be read by others",
                        remedy: "chmod 600 \(secret.path), then replace what it holds"))
            }
            if secret.owner != directory.owner {
                checks.append(
                    Check(
                        "permissions", .problem, "\(secret.path) belongs to user \(secret.owner), its directory to user \(directory.owner)",
                        remedy: "chown \(directory.owner) \(secret.path)"))
            }
        }
        return checks
    }

    private static func settings(_ settings: HostDescription.Settings) -> Check {
        guard let complaint = settings.complaint else { return Check("settings", .ok, "\(settings.path) is right") }
        return Check("settings", .problem, complaint, remedy: "the daemon will not start with it: mend \(settings.path)")
    }

    private static func port(_ port: HostDescription.Port) -> Check {
        guard let holder = port.holder else { return Check("port", .ok, "port \(port.number) (\(port.purpose)) is free") }
        switch holder {
        case "": return Check("port", .ok, "port \(port.number) (\(port.purpose)) is in use; by whom only root can see")
        // The kernel keeps fifteen bytes of a name.
        case "suanpan-coordin": return Check("port", .ok, "port \(port.number) (\(port.purpose)) is the coordinator's")
        default:
            return Check(
                "port", .warning, "port \(port.number) (\(port.purpose)) is held by \(holder)",
                remedy: "a coordinator here needs another: set it in /etc/suanpan/coordinator.yaml")
        }
    }

    private static func unit(_ unit: HostDescription.Unit) -> Check {
        switch unit.state {
        case "active": Check("unit", .ok, "\(unit.name) is active")
        case "failed": Check("unit", .problem, "\(unit.name) has failed", remedy: "journalctl -u \(unit.name) -n 50 says why")
        default:
            unit.isEnabled
                ? Check("unit", .problem, "\(unit.name) is enabled and \(unit.state)", remedy: "systemctl start \(unit.name)")
                : Check("unit", .ok, "\(unit.name) is not enabled")
        }
    }
}
