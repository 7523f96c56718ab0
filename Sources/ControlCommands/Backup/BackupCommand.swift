import ArgumentParser
import Glibc

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Backups of the coordinator: make, check, restore.",
        discussion: "EXAMPLE: suanpan backup create suanpan-$(date +%F).backup --keys suanpan.keys",
        subcommands: [Create.self, Verify.self, Restore.self])

    struct Create: Verb {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Save a consistent copy of a running coordinator to a file.",
            discussion: """
                Needs an admin key. The file is a tar archive with the journal and its digests, readable by you alone. It holds no keys: \
                keep those of --keys apart from it, for without them the environment values of jobs cannot be read and nodes must join again.

                EXAMPLE: suanpan backup create /srv/backup/suanpan.backup --logs --keys /root/suanpan.keys
                """)

        @Argument(help: ArgumentHelp("The file to make, which must not be there yet; - is standard output.", valueName: "file"))
        var destination: String

        @Flag(help: "Include the output of jobs.")
        var logs = false

        @Option(
            help: ArgumentHelp(
                "Also save the coordinator's keys to this file, mode 0600. Only on its machine, as its user or root.", valueName: "file"))
        var keys: String?

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let client = try context.client(connection)
            // What cannot be had is told before the long part.
            let bundle = try keys.map { _ in
                try KeyBundle.text(
                    of: DataDirectory.resolve(option: connection.dataDirectory, environment: context.environment))
            }
            let query: CoordinatorClient.Query = logs ? [("logs", "true")] : []
            if destination == "-" {
                try await client.download("/v1/backup", query: query) { context.console.output.write($0) }
            } else {
                let file = try NewFile(destination)
                try await client.download("/v1/backup", query: query) { (bytes) throws(CommandFailure) in try file.write(bytes) }
                try file.finish()
                context.console.note("\(destination): \(Humanized.bytes(file.size)); check it with `suanpan backup verify \(destination)`")
            }
            guard let keys, let bundle else { return }
            let file = try NewFile(keys)
            try file.write(Array(bundle.utf8))
            try file.finish()
        }
    }

    struct Verify: Verb {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Check a backup file: every byte, every record, and the state that it recovers to.",
            discussion: """
                Runs suanpan-coordinator, which must be installed here; no coordinator need run.

                EXAMPLE: suanpan backup verify suanpan.backup
                """)

        @Argument(help: ArgumentHelp("The backup.", valueName: "file"))
        var file: String

        @Option(help: ArgumentHelp("Where to unpack the journal for a moment (default: beside the file).", valueName: "dir"))
        var scratch: String?

        func perform(in context: CommandContext) async throws {
            let options = scratch.map { ["--scratch", $0] } ?? []
            try DaemonProgram.become("suanpan-coordinator", ["verify-backup"] + options + ["--", file], context)
        }
    }

    struct Restore: Verb {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Make a data directory of a backup, with no coordinator running in it.",
            discussion: """
                Checks the backup first and changes nothing when it is damaged. The cluster goes on under a new identity and with higher \
                numbers: what happened after the backup is not known to it. Jobs that waited or ran then run again unless their node \
                still has them; newer ones are stopped.

                EXAMPLE: suanpan backup restore suanpan.backup --data-dir /var/lib/suanpan --keys suanpan.keys
                """)

        @Argument(help: ArgumentHelp("The backup.", valueName: "file"))
        var file: String

        @Option(name: .customLong("data-dir"), help: ArgumentHelp("The data directory to make: absent or empty.", valueName: "dir"))
        var dataDirectory: String

        @Flag(help: "Move a data directory that is there aside, to <dir>.before-restore-<time>.")
        var replace = false

        @Option(help: ArgumentHelp("The file that `suanpan backup create --keys` wrote.", valueName: "file"))
        var keys: String?

        @Flag(help: "Go on with new keys: environment values of jobs from the backup are lost to them, and every node must join again.")
        var withoutKeys = false

        func validate() throws {
            guard keys == nil || !withoutKeys else { throw ValidationError("--keys and --without-keys exclude each other") }
        }

        func perform(in context: CommandContext) async throws {
            var arguments = ["restore-backup", "--data-dir", dataDirectory]
            if replace { arguments.append("--replace") }
            if withoutKeys { arguments.append("--without-keys") }
            if let keys { arguments += ["--keys", keys] }
            try DaemonProgram.become("suanpan-coordinator", arguments + ["--", file], context)
        }
    }
}

/// The coordinator's keys as text: a line `<name> <hexadecimal digits>` for each.
enum KeyBundle {
    static let names = ["secrets.key", "server.key"]
    /// Those of the interface, where it made its own.
    static let identity = ["tls/certificate.pem", "tls/key.pem"]

    static func text(of directory: String) throws(CommandFailure) -> String {
        var text = "# The keys of a Suanpan coordinator, for `suanpan backup restore --keys`. Keep them apart from its backups.\n"
        for name in names {
            let path = "\(directory)/\(name)"
            guard let key = FileContent.read(path: path, limit: 64) else {
                let problem = errno
                throw CommandFailure(
                    problem == EACCES ? .notAllowed : .failed, "\(path): \(SystemError.text(problem))",
                    remedy: "--keys works on the coordinator's machine, as its user or root; name its directory with --data-dir")
            }
            guard key.count == 32 else { throw CommandFailure(.failed, "\(path) does not hold a key of 32 bytes") }
            text += line(name, key)
        }
        let files = identity.compactMap { name in FileContent.read(path: "\(directory)/\(name)", limit: 64 << 10).map { (name, $0) } }
        if files.count == identity.count { for (name, bytes) in files { text += line(name, bytes) } }
        return text
    }

    private static func line(_ name: String, _ bytes: [UInt8]) -> String {
        "\(name) \(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())\n"
    }
}

/// A file that appears under its name when it is whole and durable, for its owner alone. Never replaces one.
final class NewFile {
    private let path: String
    private let draft: String
    private let descriptor: Int32
    private(set) var size: Int64 = 0
    private var isFinished = false

    init(_ path: String) throws(CommandFailure) {
        guard access(path, F_OK) != 0 else {
            throw CommandFailure(.conflict, "\(path) is there already", remedy: "name another file, or remove it")
        }
        self.path = path
        draft = "\(path).part"
        unlink(draft)
        descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(draft): \(SystemError.text(errno))") }
    }

    deinit {
        close(descriptor)
        if !isFinished { unlink(draft) }
    }

    func write(_ bytes: [UInt8]) throws(CommandFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw CommandFailure(.failed, "\(draft): \(SystemError.text(errno))") }
            rest = rest.dropFirst(count)
        }
        size += Int64(bytes.count)
    }

    func finish() throws(CommandFailure) {
        // A link, unlike a rename, does not replace a file that came meanwhile.
        guard fsync(descriptor) == 0, link(draft, path) == 0 else { throw CommandFailure(.failed, "\(path): \(SystemError.text(errno))") }
        unlink(draft)
        isFinished = true
    }
}
