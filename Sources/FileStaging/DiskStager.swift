public import AgentCore
public import ClusterModel
public import ClusterPorts
import ContentFiles
import Glibc
public import Logging
import Synchronization

/// Moves files between the coordinator, this node's cache and work directories.
///
/// What the network or the coordinator does is tried again for as long as the attempt lives; what the job, the disk or a
/// digest does is told at once.
public final class DiskStager: FileStager {
    public struct Configuration: Sendable {
        /// The agent's own directory; the stager uses `staging` and `cache` below it.
        public var directory: String
        /// Below it, in memory, secrets are placed; nil where there is no such place.
        public var secretsRoot: String?
        /// By which the coordinator is reached.
        public var coordinatorHost: String
        public var cacheSizeMax: Int64

        public init(directory: String, secretsRoot: String?, coordinatorHost: String, cacheSizeMax: Int64) {
            self.directory = directory
            self.secretsRoot = secretsRoot
            self.coordinatorHost = coordinatorHost
            self.cacheSizeMax = cacheSizeMax
        }
    }

    private struct Errand {
        var fence: Fence
        var task: Task<Void, Never>
    }

    private struct State {
        var errands: [AttemptID: Errand] = [:]
        var client: FileClient?
        var service: FileClient.Service?
        var onEvent: @Sendable (StagingEvent) -> Void = { _ in }
    }

    private let configuration: Configuration
    private let cache: ContentCache
    private let logger: Logger
    private let state = Mutex(State())

    /// Contents on their way at once for one attempt.
    private static let parallelMax = 8

    public init(_ configuration: Configuration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        for path in [configuration.directory + "/staging", configuration.secretsRoot].compactMap({ $0 })
        where mkdir(path, 0o711) != 0 && errno != EEXIST {
            throw StagingError("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        chmod(configuration.directory + "/staging", 0o700)
        cache = try ContentCache(directory: configuration.directory + "/cache", sizeMax: configuration.cacheSizeMax)
    }

    // MARK: Calls

    public func start(onEvent: @escaping @Sendable (StagingEvent) -> Void) { state.withLock { $0.onEvent = onEvent } }

    public func use(_ service: FileService) {
        let name = service.host.isEmpty ? configuration.coordinatorHost : service.host
        let host = name.contains(":") ? "[\(name)]" : name
        let scheme = service.isTLS ? "https" : "http"
        let next = FileClient.Service(url: "\(scheme)://\(host):\(service.port)", certificate: service.certificate)
        let old = state.withLock { state -> FileClient? in
            guard state.service != next else { return nil }
            state.service = next
            defer { state.client = nil }
            return state.client
        }
        // Requests under way end with an error, and are tried again with the new one.
        if let old { Task { await old.shutdown() } }
    }

    public func stage(_ order: StageOrder) {
        begin(order.attempt, order.fence) { [self] in
            try await place(order)
            return .staged(order.attempt, order.fence)
        }
    }

    public func collect(_ attempt: AttemptID, _ fence: Fence) {
        begin(attempt, fence) { [self] in .collected(attempt, fence, problem: try await keepOutputs(of: attempt)) }
    }

    public func abandon(_ attempt: AttemptID, _ fence: Fence) {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard state.errands[attempt]?.fence == fence else { return nil }
            return state.errands.removeValue(forKey: attempt)?.task
        }
        task?.cancel()
    }

    public func discard(_ attempt: AttemptID) {
        let earlier = state.withLock { $0.errands.removeValue(forKey: attempt)?.task }
        earlier?.cancel()
        Task {
            await earlier?.value
            remove(attempt)
        }
    }

    public func sweep(keeping attempts: [AttemptID]) {
        let kept = Set(attempts.map(\.description))
        for name in Self.names(in: configuration.directory + "/staging") where !kept.contains(name) {
            if let attempt = AttemptID(parsing: name) { discard(attempt) }
        }
    }

    public func stop() async {
        let (errands, client) = state.withLock { state in
            state.onEvent = { _ in }
            defer { state.client = nil }
            return (state.errands.values.map(\.task), state.client)
        }
        for errand in errands { errand.cancel() }
        for errand in errands { await errand.value }
        await client?.shutdown()
    }

    private func begin(_ attempt: AttemptID, _ fence: Fence, _ work: @escaping @Sendable () async throws -> StagingEvent) {
        state.withLock { state in
            guard state.errands[attempt]?.fence != fence else { return }
            state.errands[attempt]?.task.cancel()
            let task = Task {
                let event: StagingEvent
                do { event = try await work() } catch is CancellationError { return } catch {
                    event = .failed(attempt, fence, problem: String("\(error)".prefix(200)))
                }
                let tell = self.state.withLock { state -> (@Sendable (StagingEvent) -> Void)? in
                    guard state.errands[attempt]?.fence == fence else { return nil }
                    state.errands[attempt] = nil
                    return state.onEvent
                }
                tell?(event)
            }
            state.errands[attempt] = Errand(fence: fence, task: task)
        }
    }

    // MARK: Before the start

    private func place(_ order: StageOrder) async throws {
        let account = AccountFiles(userID: order.userID, groupID: order.groupID)
        let record = StagingRecord(order)
        try store(record)
        if !order.secretFiles.isEmpty {
            guard configuration.secretsRoot != nil else { throw StagingError("this node has no place in memory for secrets as files") }
            try account.placeSecrets(order.secretFiles.map { ($0.name, $0.sealedValue) }, in: order.secretsDirectory)
        }
        guard !order.workDirectory.isEmpty else { return }
        try account.makeWorkDirectory(order.workDirectory)
        for input in order.inputs {
            switch input.source {
            case .tree(let tree): try await place(tree, at: input.path, isShared: false, record, account)
            case .dataset(_, _, let tree): try await place(tree, at: input.path, isShared: true, record, account)
            case .url(let url, let digest):
                if let address = ObjectAddress(url) {
                    try account.asAccount { try account.makeDirectories(input.path, below: order.workDirectory) }
                    let place = input.path.isEmpty ? order.workDirectory : "\(order.workDirectory)/\(input.path)"
                    try await objectStore(of: record, account).fetch(address, into: place)
                } else {
                    try await place(url: url, digest, at: input.path, record, account)
                }
            }
        }
    }

    private func place(
        _ digest: ContentDigest, at path: String, isShared: Bool, _ record: StagingRecord, _ account: AccountFiles
    ) async throws {
        try await acquire(digest, record)
        let tree: FileTree
        do {
            tree = try FileTree(parsing: try Self.read(cache.path(digest)))
        } catch let error as FileTreeError { throw StagingError("tree \(digest): \(error.message)") }
        await cache.release([digest])
        let base = RelativePath.join(record.workDirectory, path)
        try account.asAccount { try account.makeDirectories(path, below: record.workDirectory) }
        // A part at a time: what is being placed stays in the cache until it is.
        for entries in tree.entries.split(every: 256) {
            let held = Mutex<[ContentDigest]>([])
            let result: Result<Void, any Error>
            do {
                try await inParallel(FileTree.contents(of: entries)) { content in
                    try await self.acquire(content, record)
                    held.withLock { $0.append(content) }
                }
                for entry in entries {
                    try Task.checkCancellation()
                    try account.place(entry, below: base, content: entry.digest.map(cache.path), isShared: isShared)
                }
                result = .success(())
            } catch { result = .failure(error) }
            await cache.release(held.withLock { $0 })
            try result.get()
        }
    }

    /// A download is nobody else's: it goes straight to its place.
    private func place(
        url: String, _ digest: ContentDigest?, at path: String, _ record: StagingRecord, _ account: AccountFiles
    ) async throws {
        let temporary = "\(configuration.directory)/staging/\(record.attempt).download"
        let descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw AccountFiles.problem("the node's disk takes no file") }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        try await insistently { client in try await client.fetch(url: url, into: descriptor) }
        _ = lseek(descriptor, 0, SEEK_SET)
        let found = try ContentHash.digest(of: descriptor)
        if let digest, digest != found.digest { throw StagingError("\(url) is not what the job expects: its digest is \(found.digest)") }
        let entry = FileTree.Entry(path: path, kind: .file(found.digest, size: found.size, isExecutable: false))
        try account.place(entry, below: record.workDirectory, content: temporary, isShared: false)
    }

    private func acquire(_ digest: ContentDigest, _ record: StagingRecord) async throws {
        try await cache.acquire(digest) { descriptor in
            try await self.insistently { client in try await client.fetch(digest, pass: record.passText, into: descriptor) }
        }
    }

    // MARK: After the end

    /// What was missing, for people; empty when nothing was.
    private func keepOutputs(of attempt: AttemptID) async throws -> String {
        guard let record = load(attempt) else { throw StagingError("the node lost what it had noted about this attempt's files") }
        let account = AccountFiles(userID: record.userID, groupID: record.groupID)
        var missing = try await sendObjects(of: record, account)
        let kept = record.outputs.filter { $0.objectAddress == nil }
        // An agent that begins with this anew must be known to the store again: then they go with the work directory.
        if kept.count == record.outputs.count, !record.secretsDirectory.isEmpty { try account.removeSecrets(record.secretsDirectory) }
        var entries: [FileTree.Entry] = []
        var sources: [ContentDigest: (path: String, size: Int64)] = [:]
        for output in kept {
            guard let found = try account.survey(output.path, in: record.workDirectory, destination: output.destination) else {
                missing.append("'\(output.path)'")
                continue
            }
            for entry in found {
                guard case .file(let digest, let size, _) = entry.kind else { continue }
                let below = output.destination.isEmpty ? entry.path : String(entry.path.dropFirst(output.destination.count + 1))
                sources[digest] = (RelativePath.join(output.path, below), size)
            }
            entries += found
        }
        let tree: FileTree
        do throws(FileTreeError) { tree = try FileTree(entries) } catch { throw StagingError("the outputs: \(error.message)") }
        if !kept.isEmpty { try await send(tree, from: sources, record, account) }
        return missing.isEmpty ? "" : "there is no \(missing.joined(separator: ", ")) among the files that the task left behind"
    }

    /// Those that go to an object store; the paths that were missing.
    private func sendObjects(of record: StagingRecord, _ account: AccountFiles) async throws -> [String] {
        var missing: [String] = []
        for output in record.outputs {
            guard let address = output.objectAddress else { continue }
            let path = output.path.isEmpty ? record.workDirectory : "\(record.workDirectory)/\(output.path)"
            // Tasks must not overwrite each other's; a later attempt of the same one does.
            guard try account.exists(path) else {
                missing.append("'\(output.path)'")
                continue
            }
            try await objectStore(of: record, account).keep(path, below: address.appending("\(record.attempt.task)"))
        }
        return missing
    }

    private func objectStore(of record: StagingRecord, _ account: AccountFiles) throws -> ObjectStore {
        try ObjectStore(account: account, secretsDirectory: record.secretsDirectory)
    }

    private func send(
        _ tree: FileTree, from sources: [ContentDigest: (path: String, size: Int64)], _ record: StagingRecord, _ account: AccountFiles
    ) async throws {
        let text = tree.text
        let digest = ContentHash.digest(of: text)
        let pass = record.passText
        while true {
            let missing = try await insistently { client in try await client.keep(text, digest: digest, pass: pass) }
            if missing.isEmpty { break }
            try await inParallel(missing) { content in
                guard let source = sources[content] else { throw StagingError("the coordinator asks for what is not in the tree") }
                let descriptor = try account.openOutput(source.path, in: record.workDirectory)
                defer { close(descriptor) }
                try await self.insistently { client in
                    try await client.send(content, size: source.size, pass: pass, from: descriptor)
                }
            }
        }
        try await insistently { client in try await client.keepOutputs(digest, of: record.attempt, pass: pass) }
    }

    private func remove(_ attempt: AttemptID) {
        guard let record = load(attempt) else { return }
        let account = AccountFiles(userID: record.userID, groupID: record.groupID)
        do {
            if !record.secretsDirectory.isEmpty { try account.removeSecrets(record.secretsDirectory) }
            if !record.workDirectory.isEmpty {
                try account.removeAll(record.workDirectory)
                // The job's own, when this was its last attempt and nothing was left there.
                _ = rmdir(String(record.workDirectory[..<(record.workDirectory.lastIndex(of: "/") ?? record.workDirectory.startIndex)]))
            }
        } catch {
            logger.warning("files of an ended attempt stay", metadata: ["attempt": "\(attempt)", "error": "\(error)"])
        }
        unlink(path(attempt))
    }

    // MARK: Persistence of the network

    /// Again and again while what fails may pass; the pauses double from a quarter of a second to half a minute.
    @discardableResult
    private func insistently<Result: Sendable>(_ body: (FileClient) async throws -> Result) async throws -> Result {
        var pause = Duration.milliseconds(250)
        while true {
            try Task.checkCancellation()
            do {
                guard let client = try client() else {
                    throw StagingError("the coordinator has not said where its files are", isLasting: false)
                }
                return try await body(client)
            } catch let error as StagingError where !error.isLasting {
                logger.debug("files wait", metadata: ["error": "\(error)"])
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(30))
            }
        }
    }

    /// Made when the first file moves: a node without such jobs has no threads for it.
    private func client() throws -> FileClient? {
        try state.withLock { state in
            if state.client == nil, let service = state.service { state.client = try FileClient(service) }
            return state.client
        }
    }

    private func inParallel(_ digests: [ContentDigest], _ body: @escaping @Sendable (ContentDigest) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, digest) in digests.enumerated() {
                if index >= Self.parallelMax { try await group.next() }
                group.addTask { try await body(digest) }
            }
            try await group.waitForAll()
        }
    }

    // MARK: Records

    private func path(_ attempt: AttemptID) -> String { "\(configuration.directory)/staging/\(attempt)" }

    private func store(_ record: StagingRecord) throws {
        let path = path(record.attempt)
        let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw AccountFiles.problem("the node's disk takes no file") }
        defer { close(descriptor) }
        let bytes = record.canonicalBytes
        guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count, rename(path + ".new", path) == 0
        else { throw AccountFiles.problem("the node's disk takes no file") }
    }

    private func load(_ attempt: AttemptID) -> StagingRecord? {
        (try? Self.read(path(attempt))).flatMap { try? StagingRecord(canonicalBytes: $0) }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw AccountFiles.problem("a file of the node is gone") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return content }
            if count < 0, errno != EINTR { throw AccountFiles.problem("a file of the node cannot be read") }
            if count > 0 { content += buffer[..<count] }
        }
    }

    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}

extension StagingRecord {
    /// As the coordinator reads it.
    var passText: String { "sa_\(attempt)_\(ContentDigest(bytes: pass)?.text ?? "")" }
}

extension FileTree.Entry {
    var digest: ContentDigest? {
        guard case .file(let digest, _, _) = kind else { return nil }
        return digest
    }
}

extension FileTree {
    /// The digests of some entries, each once.
    static func contents(of entries: ArraySlice<Entry>) -> [ContentDigest] {
        var seen: Set<ContentDigest> = []
        return entries.compactMap(\.digest).filter { seen.insert($0).inserted }
    }
}

extension Array {
    func split(every count: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
    }
}
