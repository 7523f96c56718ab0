import ClusterModel
import ClusterPorts
import ContentFiles
import FileTestKit
import Foundation
import Synchronization
import Testing

@testable import FileStorage

@Suite("Contents of tenants")
struct DiskFileStoreTests {
    private let directory = try! TemporaryDirectory()

    private func store(bootID: String = "boot-1") throws -> DiskFileStore {
        try DiskFileStore(directory: "\(directory.path)/files", bootID: bootID)
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// Sends `text` from `offset` on, in parts of three bytes; breaks off after `limit` of them.
    private func send(
        _ text: String, as digest: ContentDigest? = nil, to store: DiskFileStore, tenant: String = "lab", from offset: Int = 0,
        total: Int? = nil, breakingAfter limit: Int = .max
    ) async throws(FileStoreError) -> UploadStanding {
        let bytes = Self.bytes(text)
        let position = Mutex(offset)
        return try await store.receive(
            digest ?? ContentHash.digest(of: bytes), tenant: tenant, from: Int64(offset), total: Int64(total ?? bytes.count)
        ) {
            struct Broken: Error {}
            return try position.withLock { position -> [UInt8]? in
                if position - offset >= limit { throw Broken() }
                guard position < bytes.count else { return nil }
                defer { position += 3 }
                return Array(bytes[position..<min(position + 3, bytes.count)])
            }
        }
    }

    private func code(_ body: () async throws(FileStoreError) -> some Any) async -> FileStoreError.Code? {
        do { _ = try await body() } catch { return error.code }
        return nil
    }

    @Test("what was brought whole is there, read-only, under its digest")
    func whole() async throws {
        let store = try store()
        #expect(try await send("hello", to: store) == .whole(size: 5))
        let digest = ContentHash.digest(of: Self.bytes("hello"))
        let found = try #require(try await store.location(of: digest, tenant: "lab"))
        #expect(try String(contentsOfFile: found.path, encoding: .utf8) == "hello")
        #expect(found.size == 5)
        #expect(try await store.standing(of: digest, tenant: "lab") == .whole(size: 5))
    }

    @Test("an empty content is a content")
    func empty() async throws {
        let store = try store()
        #expect(try await send("", to: store) == .whole(size: 0))
    }

    @Test("an upload that broke off goes on where it ended, also after a restart")
    func resumed() async throws {
        let digest = ContentHash.digest(of: Self.bytes("a longer text"))
        #expect(
            await code { () throws(FileStoreError) in try await send("a longer text", to: try! store(), breakingAfter: 6) } == .interrupted)
        let restarted = try store()
        #expect(try await restarted.standing(of: digest, tenant: "lab") == .partial(size: 6))
        #expect(await code { () throws(FileStoreError) in try await send("a longer text", to: restarted, from: 3) } == .offset(expected: 6))
        #expect(try await send("a longer text", to: restarted, from: 6) == .whole(size: 13))
    }

    @Test("content that is not what its digest says is thrown away")
    func wrongDigest() async throws {
        let store = try store()
        let promised = ContentHash.digest(of: Self.bytes("right"))
        #expect(await code { () throws(FileStoreError) in try await send("wrong", as: promised, to: store) } == .digest)
        #expect(try await store.standing(of: promised, tenant: "lab") == .partial(size: 0))
        #expect(try await send("right", to: store) == .whole(size: 5))
    }

    @Test("more than was announced is refused")
    func tooMuch() async throws {
        let store = try store()
        #expect(await code { () throws(FileStoreError) in try await send("too much", to: store, total: 4) } == .size)
    }

    @Test("a tenant learns nothing of what another has brought, and has to bring it whole")
    func tenants() async throws {
        let store = try store()
        let digest = ContentHash.digest(of: Self.bytes("shared"))
        #expect(try await send("shared", to: store, tenant: "lab") == .whole(size: 6))
        #expect(try await store.standing(of: digest, tenant: "other") == .partial(size: 0))
        #expect(try await store.location(of: digest, tenant: "other") == nil)
        #expect(try await send("shared", to: store, tenant: "other") == .whole(size: 6))
        // Kept once underneath: one file with three names.
        let attributes = try FileManager.default.attributesOfItem(atPath: store.paths.content(digest))
        #expect(attributes[.referenceCount] as? Int == 3)
    }

    @Test("a tree is kept when its contents are there, and says until then what is missing")
    func trees() async throws {
        let store = try store()
        let one = ContentHash.digest(of: Self.bytes("one"))
        let two = ContentHash.digest(of: Self.bytes("two"))
        let tree = try FileTree([
            .init(path: "a/one", kind: .file(one, size: 3, isExecutable: false)),
            .init(path: "two", kind: .file(two, size: 3, isExecutable: true)),
        ])
        let digest = ContentHash.digest(of: tree.text)
        _ = try await send("one", to: store)
        #expect(try await store.keepTree(digest, tenant: "lab", text: tree.text) == [two])
        #expect(try await store.tree(digest, tenant: "lab") == nil)
        _ = try await send("two", to: store)
        #expect(try await store.keepTree(digest, tenant: "lab", text: tree.text) == [])
        #expect(try await store.tree(digest, tenant: "lab") == tree)
        #expect(try await store.tree(digest, tenant: "other") == nil)
    }

    @Test("a tree that lies about a size, or about itself, is refused")
    func badTrees() async throws {
        let store = try store()
        _ = try await send("one", to: store)
        let lying = try FileTree([.init(path: "one", kind: .file(ContentHash.digest(of: Self.bytes("one")), size: 4, isExecutable: false))])
        #expect(
            await code { () throws(FileStoreError) in
                try await store.keepTree(ContentHash.digest(of: lying.text), tenant: "lab", text: lying.text)
            } == .tree)
        #expect(
            await code { () throws(FileStoreError) in
                try await store.keepTree(ContentHash.digest(of: Self.bytes("x")), tenant: "lab", text: lying.text)
            } == .digest)
    }

    @Test("the last attempt of each task tells what the job left behind")
    func outputs() async throws {
        let store = try store()
        var digests: [ContentDigest] = []
        for name in ["first", "second"] {
            let tree = try FileTree([.init(path: name, kind: .directory)])
            digests.append(ContentHash.digest(of: tree.text))
            #expect(try await store.keepTree(digests.last!, tenant: "lab", text: tree.text) == [])
        }
        let job = JobID(7)
        try await store.keepOutputs(digests[0], of: AttemptID(job: job, index: 0, number: 9), tenant: "lab")
        try await store.keepOutputs(digests[1], of: AttemptID(job: job, index: 0, number: 10), tenant: "lab")
        try await store.keepOutputs(digests[0], of: AttemptID(job: job, index: 3, number: 1), tenant: "lab")
        let found = try await store.outputs(of: job, tenant: "lab")
        #expect(found.map(\.attempt.description) == ["7.0.10", "7.3.1"])
        #expect(found.map(\.tree) == [digests[1], digests[0]])
        #expect(try await store.outputs(of: job, tenant: "other").isEmpty)
    }

    @Test("after a power cut, content that was torn is gone, and what was synchronised is not looked at")
    func powerCut() async throws {
        let first = try store()
        _ = try await send("torn", to: first)
        let digest = ContentHash.digest(of: Self.bytes("torn"))
        let path = first.paths.content(digest)
        chmod(path, 0o600)
        try Data("to\0\0".utf8).write(to: URL(filePath: path), options: [])
        // The same boot: the page cache was never lost.
        #expect(try await store().standing(of: digest, tenant: "lab") == .whole(size: 4))
        #expect(try await store(bootID: "boot-2").standing(of: digest, tenant: "lab") == .partial(size: 0))
    }

    @Test("what nobody uses goes, what a kept tree needs stays")
    func sweep() async throws {
        let store = try store()
        for text in ["needed", "loose"] { _ = try await send(text, to: store) }
        let needed = ContentHash.digest(of: Self.bytes("needed"))
        let tree = try FileTree([.init(path: "n", kind: .file(needed, size: 6, isExecutable: false))])
        let digest = ContentHash.digest(of: tree.text)
        _ = try await store.keepTree(digest, tenant: "lab", text: tree.text)
        let later = Int64(Date().timeIntervalSince1970) + 10
        #expect(try await store.sweep(unusedSince: 0, keeping: [:]) == 0)
        #expect(try await store.sweep(unusedSince: later, keeping: ["lab": [digest]]) == 5)
        #expect(try await store.standing(of: needed, tenant: "lab") == .whole(size: 6))
        #expect(try await store.sweep(unusedSince: later, keeping: [:]) == 6 + Int64(tree.text.count))
        #expect(try await store.tree(digest, tenant: "lab") == nil)
    }

    @Test("outputs keep their files until the job's are removed")
    func sweepOutputs() async throws {
        let store = try store()
        let tree = try FileTree([.init(path: "d", kind: .directory)])
        let digest = ContentHash.digest(of: tree.text)
        _ = try await store.keepTree(digest, tenant: "lab", text: tree.text)
        try await store.keepOutputs(digest, of: AttemptID(job: JobID(1), index: 0, number: 1), tenant: "lab")
        let later = Int64(Date().timeIntervalSince1970) + 10
        #expect(try await store.sweep(unusedSince: later, keeping: [:]) == 0)
        #expect(try await store.jobsWithOutputs().map { "\($0.tenant) \($0.job)" } == ["lab 1"])
        try await store.removeOutputs(of: [JobID(1)], tenant: "lab")
        #expect(try await store.jobsWithOutputs().isEmpty)
        #expect(try await store.outputs(of: JobID(1), tenant: "lab").isEmpty)
        #expect(try await store.sweep(unusedSince: later, keeping: [:]) == Int64(tree.text.count))
    }
}
