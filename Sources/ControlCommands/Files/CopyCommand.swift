import ArgumentParser
import ClusterModel
import Glibc

struct CopyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy what a job has left behind to this machine.",
        discussion: """
            A job keeps what --output names. PATH is a file or directory among it; without one, everything is copied. Where \
            several tasks left something behind, each has a directory of its own below DEST, named by its index.

            EXAMPLE: suanpan cp 12:results .
            """)

    @Argument(help: ArgumentHelp("The job or the task, and the path: JOB:PATH, JOB.TASK:PATH, last:.", valueName: "job:path"))
    var source: String

    @Argument(help: ArgumentHelp("A file or directory here; - writes one file to standard output.", valueName: "dest"))
    var destination: String

    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        guard let colon = source.firstIndex(of: ":") else {
            throw CommandFailure(.usage, "'\(source)': expected JOB:PATH, such as 12:results")
        }
        guard let path = RelativePath.normalized(String(source[source.index(after: colon)...])) else {
            throw CommandFailure(.usage, "'\(source)': expected \(RelativePath.grammar) after the colon")
        }
        let (job, task) = try JobSelector.parts(of: String(source[..<colon]))
        let client = try context.client(connection)
        let id = try await JobSelector.resolve(job, through: client)
        let query: CoordinatorClient.Query = task.map { [("task", String($0))] } ?? []
        let items = try await client.get("/v1/jobs/\(id)/files", query: query)["items"]?.items ?? []
        let files = items.compactMap(KeptFile.init).filter { path.isEmpty || $0.path == path || $0.path.hasPrefix(path + "/") }
        guard !files.isEmpty else {
            let what = path.isEmpty ? "has left nothing behind" : "has left no '\(path)' behind"
            throw CommandFailure(
                .notFound, "job \(id) \(what)", remedy: "what a job leaves behind is named by --output when it is submitted")
        }
        let copy = Copy(transfer: FileTransfer(client: client, console: context.console), job: id, path: path)
        if destination == "-" { return try await copy.print(files, to: context.console) }
        try await copy.run(files, to: destination)
    }
}

/// A file that a task has left behind.
private struct KeptFile: Sendable {
    enum Kind: Sendable {
        case file(ContentDigest, size: Int64, isExecutable: Bool)
        case directory
        case link(String)
    }

    var path: String
    var task: UInt32
    var kind: Kind

    /// nil for what this version does not know, or what would lead out of the destination.
    init?(_ object: JSONValue) {
        guard let path = object["path"]?.text, RelativePath.isValid(path), let task = object["task"]?.integer.flatMap(UInt32.init(exactly:))
        else { return nil }
        self.path = path
        self.task = task
        switch object["type"]?.text {
        case "file":
            guard let digest = object["digest"]?.text.flatMap({ ContentDigest(parsing: $0) }), let size = object["size"]?.integer else {
                return nil
            }
            kind = .file(digest, size: size, isExecutable: object["executable"] == .bool(true))
        case "directory": kind = .directory
        case "link":
            guard let target = object["target"]?.text else { return nil }
            kind = .link(target)
        default: return nil
        }
    }
}

private struct Copy: Sendable {
    var transfer: FileTransfer
    var job: String
    /// What was asked for, empty for all.
    var path: String

    func print(_ files: [KeptFile], to console: Console) async throws(CommandFailure) {
        guard files.count == 1, case .file = files[0].kind else {
            throw CommandFailure(
                .usage, "- takes one file; '\(path)' stands for \(files.count)", remedy: "name a file, or give a directory")
        }
        try await transfer.client.download(address(of: files[0]), query: []) { console.output.write($0) }
    }

    func run(_ files: [KeptFile], to destination: String) async throws(CommandFailure) {
        let hasTasks = Set(files.map(\.task)).count > 1
        let isDirectory = Self.isDirectory(destination)
        let isFile = !hasTasks && files.count == 1 && files[0].path == path
        // As cp -r: into a directory that is there under its own name, otherwise as the destination.
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let base = !path.isEmpty && isDirectory ? RelativePath.join(destination, name) : destination
        var targets: [(file: KeptFile, target: String)] = []
        for file in files {
            let below = path.isEmpty ? file.path : String(file.path.dropFirst(path.count).drop { $0 == "/" })
            let root = hasTasks ? RelativePath.join(base, String(file.task)) : base
            targets.append((file, RelativePath.join(root, below)))
        }
        for (file, target) in targets {
            if case .directory = file.kind {
                try Self.makeDirectories(target)
            } else if !isFile || !isDirectory {
                try Self.makeParent(of: target)
            }
        }
        let progress = Progress(
            transfer.console, "copying", files: files.count,
            bytes: files.reduce(0) { sum, file in if case .file(_, let size, _) = file.kind { sum + size } else { sum } })
        try await transfer.inParallel(targets) { file, target throws(CommandFailure) in
            guard case .file(let digest, let size, let isExecutable) = file.kind else { return }
            try await transfer.download(digest, from: address(of: file), to: target, isExecutable: isExecutable)
            progress.add(bytes: size)
        }
        progress.finish()
        // Last, so that nothing is written through them.
        for case (let file, let target) in targets {
            guard case .link(let to) = file.kind else { continue }
            _ = unlink(target)
            guard symlink(to, target) == 0 else { throw CommandFailure(.failed, "\(target): \(SystemError.text(errno))") }
        }
    }

    private func address(of file: KeptFile) -> String {
        let path = file.path.split(separator: "/").map { CoordinatorClient.escape(String($0)) }.joined(separator: "/")
        return "/v1/jobs/\(job)/files/\(path)?task=\(file.task)"
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func makeParent(of path: String) throws(CommandFailure) {
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try makeDirectories(String(path[..<slash])) }
    }

    private static func makeDirectories(_ path: String) throws(CommandFailure) {
        if path.isEmpty || mkdir(path, 0o777) == 0 || isDirectory(path) { return }
        if errno == ENOENT {
            try makeParent(of: path)
            if mkdir(path, 0o777) == 0 || isDirectory(path) { return }
        }
        throw CommandFailure(.failed, "\(path): \(SystemError.text(errno))")
    }
}
