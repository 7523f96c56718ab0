// The machine that `doctor` runs on as a description. Reads only; needs no rights, and sees more with them.

import CLinuxShim
import Foundation
import Glibc

enum HostReading {
    private static let units = ["suanpan-coordinator", "suanpan-agent", "suanpan-launcher"]
    private static let ports: [(UInt16, String)] = [(8470, "interface"), (8471, "agents"), (8472, "joining"), (8473, "output")]
    private static let secretNames = ["secrets.key", "server.key", "client.yaml", "agent.key"]

    static func read(environment: [String: String], dataDirectory: String?) -> HostDescription {
        var host = HostDescription()
        host.userID = geteuid()
        let programs = ProgramSearch.process(environment: environment)
        for name in ["suanpan-coordinator", "suanpan-agent", "suanpan-launcher"] {
            host.programs.updateValue(try? programs.path(of: name), forKey: name)
        }
        host.kernel = kernel()
        host.controlGroups = controlGroups()
        let main = DataDirectory.resolve(option: dataDirectory, environment: environment)
        host.directories = [main, "/var/lib/suanpan-agent"].filter { $0 == main || access($0, F_OK) == 0 }.map(directory)
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { host.openFilesMax = UInt64(limit.rlim_max) }
        let synchronised = suanpan_clock_is_synchronised()
        host.isClockSynchronised = synchronised < 0 ? nil : synchronised == 1
        for name in ["libzmq.so.5", "libhwloc.so.15", "libnuma.so.1", "libsqlite3.so.0"] { host.libraries[name] = loads(name) }
        host.settings = [("coordinator", ["run"]), ("agent", [])].compactMap { settings($0.0, arguments: $0.1, programs) }
        let listeners = Listeners.read()
        host.ports = ports.map { HostDescription.Port(number: $0.0, purpose: $0.1, holder: listeners.holder(of: $0.0)) }
        host.units = access("/run/systemd/system", F_OK) == 0 ? units.compactMap(unit) : nil
        return host
    }

    private static func kernel() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func controlGroups() -> HostDescription.ControlGroups {
        func text(_ path: String) -> String? { FileContent.read(path: path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) } }
        let mounts = (text("/proc/self/mounts") ?? "").split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count > 2 }
        guard let root = mounts.first(where: { $0[2] == "cgroup2" }).map({ String($0[1]) }),
            let content = text("\(root)/cgroup.controllers")
        else { return mounts.contains { $0[2] == "cgroup" } ? .version1 : .none }
        let controllers = content.split { $0 == " " || $0 == "\n" }.map(String.init)
        // "0::/user.slice/…": where this process is in the one hierarchy.
        let own = (text("/proc/self/cgroup") ?? "").split(separator: "\n").first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) }
        let folder = geteuid() == 0 ? root : root + (own ?? "")
        return .version2(controllers: controllers, isWritable: access(folder, W_OK) == 0)
    }

    private static func directory(_ path: String) -> HostDescription.Directory {
        var directory = HostDescription.Directory(path: path)
        var status = stat()
        guard stat(path, &status) == 0 else {
            directory.isThere = errno != ENOENT
            directory.error = directory.isThere ? SystemError.text(errno) : nil
            return directory
        }
        directory.mode = UInt32(status.st_mode & 0o7777)
        directory.owner = UInt32(status.st_uid)
        if access(path, R_OK | W_OK | X_OK) != 0 { directory.error = SystemError.text(errno) }
        var space = statvfs()
        if statvfs(path, &space) == 0 {
            directory.freeBytes = Int64(clamping: UInt64(space.f_bavail) * UInt64(space.f_frsize))
            directory.freeFiles = space.f_files > 0 ? Int64(clamping: UInt64(space.f_favail)) : nil
        }
        for name in secretNames {
            var file = stat()
            guard lstat("\(path)/\(name)", &file) == 0 else { continue }
            directory.secrets.append(.init(path: "\(path)/\(name)", mode: UInt32(file.st_mode & 0o7777), owner: UInt32(file.st_uid)))
        }
        return directory
    }

    private static func loads(_ library: String) -> Bool {
        guard let handle = dlopen(library, RTLD_LAZY) else { return false }
        dlclose(handle)
        return true
    }

    /// The daemon itself judges its file: there is no second list of what may stand there.
    private static func settings(_ role: String, arguments: [String], _ programs: ProgramSearch) -> HostDescription.Settings? {
        let path = "/etc/suanpan/\(role).yaml"
        guard access(path, F_OK) == 0, let program = try? programs.path(of: "suanpan-\(role)") else { return nil }
        let (code, _, errors) = run(program, arguments + ["--check-settings", "--config", path])
        let said = errors.split(separator: "\n").first.map(String.init) ?? "suanpan-\(role) ended with \(code)"
        return HostDescription.Settings(path: path, complaint: code == 0 ? nil : said)
    }

    private static func unit(_ name: String) -> HostDescription.Unit? {
        let (_, output, _) = run("/usr/bin/env", ["systemctl", "show", "-p", "LoadState,ActiveState,UnitFileState", "\(name).service"])
        var properties: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { properties[parts[0]] = parts[1] }
        }
        guard properties["LoadState"] == "loaded" else { return nil }
        return HostDescription.Unit(
            name: name, state: properties["ActiveState"] ?? "unknown", isEnabled: properties["UnitFileState"] == "enabled")
    }

    /// Runs a program that says little and ends soon.
    private static func run(_ program: String, _ arguments: [String]) -> (code: Int32, output: String, errors: String) {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        do { try process.run() } catch { return (-1, "", "\(error)") }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text, complaint)
    }
}

/// Who listens on TCP ports, as /proc tells.
private struct Listeners {
    /// Inode of the socket by port.
    private var inodes: [UInt16: String] = [:]

    static func read() -> Listeners {
        var listeners = Listeners()
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let content = FileContent.read(path: file, limit: 64 << 20) else { continue }
            for line in String(decoding: content, as: UTF8.self).split(separator: "\n").dropFirst() {
                let columns = line.split(separator: " ")
                // State 0A is TCP_LISTEN.
                guard columns.count > 9, columns[3] == "0A", let digits = columns[1].split(separator: ":").last,
                    let port = UInt16(digits, radix: 16)
                else { continue }
                listeners.inodes[port] = String(columns[9])
            }
        }
        return listeners
    }

    /// nil when nobody listens; empty when the process is not ours to see.
    func holder(of port: UInt16) -> String? {
        guard let inode = inodes[port] else { return nil }
        for process in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int32(process) != nil {
            for descriptor in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? [] {
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(descriptor)")
                guard target == "socket:[\(inode)]" else { continue }
                let name = FileContent.read(path: "/proc/\(process)/comm", limit: 64).map { String(decoding: $0, as: UTF8.self) } ?? ""
                return name.trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }
        return ""
    }
}
