// Contents between this machine and the coordinator, several at once, resumed where they broke off.

import AsyncHTTPClient
import ClusterModel
import ContentFiles
import Glibc
import NIOCore
import Synchronization

struct FileTransfer: Sendable {
    let client: CoordinatorClient
    let console: Console

    private static let parallelMax = 8
    /// Tries of one content before the command gives up.
    private static let triesMax = 5

    // MARK: - There

    /// Uploads what the coordinator does not have yet; the digest names the tree from then on.
    func upload(_ local: LocalTree) async throws(CommandFailure) -> ContentDigest {
        let text = local.tree.text
        let digest = ContentHash.digest(of: text)
        var rounds = 0
        while true {
            let missing = try await keep(text, digest)
            if missing.isEmpty { return digest }
            rounds += 1
            guard rounds <= Self.triesMax else { throw CommandFailure(.failed, "the coordinator keeps losing what is uploaded") }
            let progress = Progress(
                console, "uploading", files: missing.count, bytes: missing.reduce(0) { $0 + (local.sources[$1]?.size ?? 0) })
            try await inParallel(missing) { content throws(CommandFailure) in
                guard let source = local.sources[content] else {
                    throw CommandFailure(.failed, "the coordinator asks for content that is not in the tree")
                }
                try await send(content, source.path, size: source.size)
                progress.add(bytes: source.size)
            }
            progress.finish()
        }
    }

    private func keep(_ text: [UInt8], _ digest: ContentDigest) async throws(CommandFailure) -> [ContentDigest] {
        let answer = try await client.exchange(.put, "/v1/trees/\(digest)", body: .bytes(ByteBuffer(bytes: text)), type: "text/plain")
        guard (200..<300).contains(answer.status), let document = try? JSONValue(parsing: answer.body) else {
            throw Problem.failure(http: answer.status, body: answer.body, url: client.configuration.url)
        }
        return (document["missing"]?.items ?? []).compactMap { $0.text.flatMap { ContentDigest(parsing: $0) } }
    }

    private func send(_ digest: ContentDigest, _ path: String, size: Int64) async throws(CommandFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(path): \(SystemError.text(errno))") }
        defer { close(descriptor) }
        var offset: Int64 = 0
        var failure = CommandFailure(.failed, "\(path) could not be uploaded")
        for attempt in 0..<Self.triesMax {
            if attempt > 0 { try? await Task.sleep(for: .milliseconds(200 << attempt)) }
            lseek(descriptor, off_t(offset), SEEK_SET)
            let rest = size - offset
            let body: HTTPClientRequest.Body =
                rest == 0 ? .bytes(ByteBuffer()) : .stream(FileParts(descriptor, size: rest), length: .known(rest))
            let range = offset > 0 ? [("Content-Range", "bytes \(offset)-\(size - 1)/\(size)")] : []
            do throws(CommandFailure) {
                let answer = try await client.exchange(
                    .put, "/v1/blobs/\(digest)", body: body, type: "application/octet-stream", headers: range)
                switch answer.status {
                case 200..<300: return
                case 409 where answer.uploadOffset != nil: offset = min(answer.uploadOffset ?? 0, size)
                case 422:
                    throw CommandFailure(.failed, "\(path) changed while it was uploaded", remedy: "submit again")
                case 408, 409, 429, 500, 502, 503, 504:
                    failure = Problem.failure(http: answer.status, body: answer.body, url: client.configuration.url)
                default: throw Problem.failure(http: answer.status, body: answer.body, url: client.configuration.url)
                }
            } catch {
                guard error.status == .unreachable else { throw error }
                failure = error
            }
        }
        throw failure
    }

    // MARK: - Back

    /// Writes the content to a new file beside its place, checks it, and moves it there.
    func download(_ digest: ContentDigest, from path: String, to target: String, isExecutable: Bool) async throws(CommandFailure) {
        let temporary = target + ".suanpan-part"
        let descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, isExecutable ? 0o777 : 0o666)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(target): \(SystemError.text(errno))") }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        try await client.download(path, query: []) { bytes throws(CommandFailure) in
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written == bytes.count else { throw CommandFailure(.failed, "\(target): \(SystemError.text(errno))") }
        }
        lseek(descriptor, 0, SEEK_SET)
        guard let found = try? ContentHash.digest(of: descriptor), found.digest == digest else {
            throw CommandFailure(.failed, "\(target): what arrived is not what the job left behind", remedy: "try again")
        }
        guard rename(temporary, target) == 0 else { throw CommandFailure(.failed, "\(target): \(SystemError.text(errno))") }
    }

    func inParallel<Item: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async throws(CommandFailure) -> Void
    ) async throws(CommandFailure) {
        let failure = await withTaskGroup(of: CommandFailure?.self) { group -> CommandFailure? in
            var first: CommandFailure?
            for (index, item) in items.enumerated() {
                if index >= Self.parallelMax, let failure = await group.next() ?? nil { first = first ?? failure }
                if first != nil { break }
                group.addTask {
                    do throws(CommandFailure) { try await body(item) } catch { return error }
                    return nil
                }
            }
            for await failure in group { first = first ?? failure }
            return first
        }
        if let failure { throw failure }
    }
}

/// One line that says how far a transfer is, on a terminal alone.
final class Progress: Sendable {
    private let console: Console
    private let verb: String
    private let files: Int
    private let bytes: Int64
    private let done = Mutex((files: 0, bytes: Int64(0), shown: ContinuousClock.now))

    init(_ console: Console, _ verb: String, files: Int, bytes: Int64) {
        self.console = console
        self.verb = verb
        self.files = files
        self.bytes = bytes
    }

    func add(bytes count: Int64) {
        guard console.errorsIsTerminal else { return }
        let line = done.withLock { done -> String? in
            done.files += 1
            done.bytes += count
            guard done.shown.duration(to: .now) > .milliseconds(100) else { return nil }
            done.shown = .now
            return "\(verb) \(done.files) of \(files) files, \(Humanized.bytes(done.bytes)) of \(Humanized.bytes(bytes))"
        }
        if let line { console.errors.write(Array("\r\u{1B}[K\(line)".utf8)) }
    }

    func finish() { console.clearLine() }
}
