import ClusterModel
import ContentFiles
import FileTestKit
import Foundation
import Testing

@testable import FileStaging

@Suite("Files of a job's user")
struct AccountFilesTests {
    private let directory = try! TemporaryDirectory()
    private static let isRoot = geteuid() == 0
    private let account = AccountFiles(userID: isRoot ? 65534 : geteuid(), groupID: isRoot ? 65534 : getegid())
    private var work: String { directory.path + "/7/0.1" }

    init() { chmod(directory.path, 0o711) }

    private func content(_ text: String) throws -> String {
        try directory.write("content/\(text)", text, mode: 0o444)
        return "\(directory.path)/content/\(text)"
    }

    private func file(_ path: String, isExecutable: Bool = false) -> FileTree.Entry {
        FileTree.Entry(path: path, kind: .file(ContentHash.digest(of: []), size: 0, isExecutable: isExecutable))
    }

    private func status(_ name: String) -> stat {
        var status = stat()
        #expect(lstat("\(work)/\(name)", &status) == 0, "\(name)")
        return status
    }

    @Test("a copy is the user's own and can be changed; a shared content is neither")
    func placing() throws {
        try account.makeWorkDirectory(work)
        let content = try content("text")
        try account.place(file("a/b/own", isExecutable: true), below: work, content: content, isShared: false)
        try account.place(file("data/shared"), below: work, content: content, isShared: true)
        try account.place(.init(path: "link", kind: .link(target: "a/b/own")), below: work, content: nil, isShared: false)
        #expect(status("a/b/own").st_uid == account.userID)
        #expect(status("a/b/own").st_mode & 0o777 == 0o755)
        #expect(status("a/b").st_uid == account.userID)
        #expect(status("data/shared").st_mode & 0o222 == 0)
        #expect(status("data/shared").st_nlink == 2)
        #expect(try String(contentsOfFile: "\(work)/link", encoding: .utf8) == "text")
    }

    @Test("a later input takes the place of an earlier one, and leaves the cache alone")
    func replacing() throws {
        try account.makeWorkDirectory(work)
        let first = try content("first")
        try account.place(file("x"), below: work, content: first, isShared: true)
        try account.place(file("x"), below: work, content: try content("second"), isShared: false)
        #expect(try String(contentsOfFile: "\(work)/x", encoding: .utf8) == "second")
        #expect(try String(contentsOfFile: first, encoding: .utf8) == "first")
    }

    @Test("what a task left behind is told with digests; links are told, not followed")
    func survey() throws {
        try account.makeWorkDirectory(work)
        try account.place(file("out/sub/f"), below: work, content: try content("text"), isShared: false)
        try account.place(.init(path: "out/empty", kind: .directory), below: work, content: nil, isShared: false)
        try account.place(.init(path: "out/away", kind: .link(target: "/etc/shadow")), below: work, content: nil, isShared: false)
        let entries = try #require(try account.survey("out", in: work, destination: "results"))
        #expect(
            try FileTree(entries).entries == [
                .init(path: "results/away", kind: .link(target: "/etc/shadow")),
                .init(path: "results/empty", kind: .directory),
                .init(path: "results/sub/f", kind: .file(ContentHash.digest(of: Array("text".utf8)), size: 4, isExecutable: false)),
            ])
        #expect(try account.survey("nothing", in: work, destination: "") == nil)
    }

    @Test("a root agent reads outputs with the job's rights alone", .enabled(if: isRoot))
    func rights() throws {
        try account.makeWorkDirectory(work)
        try directory.write("7/0.1/secret", "of root", mode: 0o600)
        chown("\(work)/secret", 0, 0)
        #expect(throws: StagingError.self) { try account.survey("secret", in: work, destination: "secret") }
        #expect(throws: StagingError.self) { try account.openOutput("secret", in: work) }
        // And is itself again afterwards.
        #expect(try String(contentsOfFile: "\(work)/secret", encoding: .utf8) == "of root")
    }

    @Test("secrets are the user's alone, and go without a trace")
    func secrets() throws {
        let place = directory.path + "/7.0.1"
        try account.placeSecrets([("token", Array("s".utf8))], in: place)
        var status = stat()
        #expect(lstat("\(place)/token", &status) == 0 && status.st_mode & 0o777 == 0o400 && status.st_uid == account.userID)
        #expect(lstat(place, &status) == 0 && status.st_mode & 0o777 == 0o700)
        // A second try after a crash begins anew.
        try account.placeSecrets([("token", Array("t".utf8))], in: place)
        try account.removeSecrets(place)
        #expect(lstat(place, &status) != 0)
    }

    @Test("removal follows no link")
    func removal() throws {
        try directory.write("outside/precious", "x")
        try account.makeWorkDirectory(work)
        try account.place(.init(path: "away", kind: .link(target: directory.path + "/outside")), below: work, content: nil, isShared: false)
        try account.place(file("deep/er/f"), below: work, content: try content("text"), isShared: false)
        chmod(directory.path + "/7", 0o777)
        try account.removeAll(work)
        #expect(directory.read("outside/precious") == "x")
        #expect(directory.names(below: "7") == [])
    }
}
