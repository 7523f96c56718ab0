import CLinuxShim
import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation

/// What an administrator set for an agent.
struct AgentSettings: Sendable {
    var dataDirectory: String
    var tokenFile: String?
    var name: String
    var address: String?
    var cpuMilli: Int64?
    var memoryBytes: Int64?
    var labels: [NamedText]
    var allowsRootJobs: Bool
    var launcher: LauncherKeeper
    /// Most bytes of contents kept for later jobs.
    var cacheBytes: Int64
    /// nil: the agent's own default.
    var diskReserveBytes: Int64?
    var log: LogSettings

    static let cacheBytesDefault: Int64 = 10 << 30

    /// In memory, so that no secret ever lies on a disk; nil where this user has no such place.
    func secretsRoot(isRoot: Bool) -> String? {
        let first = isRoot ? "/run" : ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"]
        let places = [first, "/dev/shm"].compactMap { $0 }
        guard let base = places.first(where: { suanpan_is_in_memory($0) == 1 && access($0, W_OK) == 0 }) else { return nil }
        // One agent, one folder: several may run on one machine.
        let name = dataDirectory.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        return "\(base)/suanpan-agent-\(String(name, radix: 36))"
    }

    /// Who starts the launcher.
    enum LauncherKeeper: String {
        /// The agent, when none serves its run directory.
        case own
        /// The system, as a unit of its own; the agent waits for it.
        case external
    }

    /// This host's name without its domain, in the grammar of node names.
    static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "node" }
        let full = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
        let short = String(full.prefix { $0 != "." }.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(63))
        return ObjectName.isValid(short) ? short : "node"
    }

    /// Where a token lies that was handed over beside the settings, as `/install` does; it need not be there.
    var handedOverToken: String { dataDirectory + "/join.token" }

    /// The join token from file, standard input, environment or the data directory; nil when none was given.
    func joinToken() throws -> JoinToken? {
        let text: String
        if let tokenFile {
            let path = tokenFile == "-" ? "/dev/stdin" : tokenFile
            guard let data = FileManager.default.contents(atPath: path) ?? (try? Data(contentsOf: URL(filePath: path))) else {
                throw StartError("the join token \(tokenFile) cannot be read")
            }
            text = String(decoding: data, as: UTF8.self)
        } else if let value = ProcessInfo.processInfo.environment["SUANPAN_JOIN_TOKEN"] {
            text = value
        } else if let data = FileManager.default.contents(atPath: handedOverToken) {
            text = String(decoding: data, as: UTF8.self)
        } else {
            return nil
        }
        guard let token = JoinToken(parsing: text) else {
            throw StartError("the join token is not one: expected spj_… as 'suanpan node token --only-token' prints it")
        }
        return token
    }

    /// Jobs of users without an account: nobody, as every Debian has it.
    static let nobody = UserAccount(userID: 65534, groupID: 65534)

    func makeDirectories() throws {
        // Jobs' directories must be reachable by the accounts that jobs run as; everything else stays the agent's own.
        for (path, mode) in [
            (dataDirectory, 0o711), (dataDirectory + "/run", 0o700), (dataDirectory + "/work", 0o711), (dataDirectory + "/mail", 0o711),
        ] {
            do {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
            } catch { throw StartError("\(path) cannot be created: choose another --data-dir, or mend its permissions") }
            _ = chmod(path, mode_t(mode))
        }
    }
}
