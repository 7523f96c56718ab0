import ClusterModel
import ContentFiles
import FileTestKit
import Foundation
import Synchronization
import Testing

@testable import FileStaging

@Suite("The node's cache")
struct ContentCacheTests {
    private let directory = try! TemporaryDirectory()

    private func cache(sizeMax: Int64 = 1 << 20) throws -> ContentCache {
        try ContentCache(directory: directory.path + "/cache", sizeMax: sizeMax)
    }

    private static func digest(_ text: String) -> ContentDigest { ContentHash.digest(of: Array(text.utf8)) }

    private static func writer(_ text: String) -> @Sendable (Int32) async throws -> Void {
        { descriptor in _ = text.utf8CString.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count - 1) } }
    }

    @Test("many who ask at once wait for one download")
    func once() async throws {
        let cache = try cache()
        let fetches = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try? await cache.acquire(Self.digest("x")) { descriptor in
                        fetches.add()
                        await Task.yield()
                        try await Self.writer("x")(descriptor)
                    }
                }
            }
        }
        #expect(fetches.value == 1)
        #expect(try String(contentsOfFile: cache.path(Self.digest("x")), encoding: .utf8) == "x")
    }

    @Test("one whose download fails does not fail those who wait with it")
    func failure() async throws {
        struct Broken: Error {}
        let cache = try cache()
        let fetches = Counter()
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do {
                        try await cache.acquire(Self.digest("x")) { descriptor in
                            if fetches.add() == 1 { throw Broken() }
                            try await Self.writer("x")(descriptor)
                        }
                        return true
                    } catch { return false }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.sorted { !$0 && $1 } == [false, true])
    }

    @Test("the longest unused goes when there is too much, never what is in use")
    func eviction() async throws {
        let cache = try cache(sizeMax: 10)
        for text in ["aaaa", "bbbb"] { try await cache.acquire(Self.digest(text), fetch: Self.writer(text)) }
        await cache.release([Self.digest("bbbb")])
        try await cache.acquire(Self.digest("cccc"), fetch: Self.writer("cccc"))
        #expect(await cache.contents == [Self.digest("aaaa"), Self.digest("cccc")])
        // Over the limit while both are in use, within it afterwards.
        try await cache.acquire(Self.digest("dddd"), fetch: Self.writer("dddd"))
        #expect(await cache.contents.count == 3)
        await cache.release([Self.digest("aaaa")])
        #expect(await cache.contents == [Self.digest("cccc"), Self.digest("dddd")])
    }

    @Test("the next process finds what is there, and no half of anything")
    func restart() async throws {
        let first = try cache()
        try await first.acquire(Self.digest("kept"), fetch: Self.writer("kept"))
        struct Broken: Error {}
        try? await first.acquire(Self.digest("half")) { descriptor in
            try await Self.writer("ha")(descriptor)
            throw Broken()
        }
        let second = try cache()
        #expect(await second.contents == [Self.digest("kept")])
        try await second.acquire(Self.digest("kept")) { _ in Issue.record("it was there") }
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    @discardableResult func add() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
    var value: Int { count.withLock { $0 } }
}
