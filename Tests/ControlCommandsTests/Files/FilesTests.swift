import ClusterModel
import ContentFiles
import FileTestKit
import Foundation
import Testing

@testable import ControlCommands

@Suite("What travels with a job")
struct FilesTests {
    @Test(
        "the ignore file has the rules of .gitignore",
        arguments: [
            ("*.log", "a.log", true), ("*.log", "deep/er/a.log", true), ("*.log", "a.logs", false), ("/a", "a", true), ("/a", "b/a", false),
            ("build/", "build", false), ("a/*/c", "a/b/c", true), ("a/*/c", "a/b/d/c", false), ("a/**/c", "a/b/d/c", true),
            ("a/**/c", "a/c", true), ("a/**", "a/b/c", true), ("a/**", "a", false), ("# a", "# a", false), ("?.txt", "a.txt", true),
            ("*.txt\n!keep.txt", "keep.txt", false), ("!keep.txt\n*.txt", "keep.txt", true), ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
        ])
    func ignore(_ rules: String, _ path: String, _ isIgnored: Bool) {
        #expect(IgnoreRules(parsing: rules).ignores(path, isDirectory: false) == isIgnored)
    }

    @Test("a rule for directories leaves files of that name alone; .git never travels")
    func directories() {
        #expect(IgnoreRules(parsing: "build/").ignores("x/build", isDirectory: true))
        #expect(IgnoreRules().ignores(".git", isDirectory: true))
        #expect(!IgnoreRules().ignores(".gitignore", isDirectory: false))
    }

    @Test("a directory is read by content, without what stays behind")
    func reading() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("run.sh", "#!/bin/sh", mode: 0o755)
        try directory.write("lib/a.py", "a")
        try directory.write("lib/a.pyc", "junk")
        try directory.write(".git/config", "x")
        try directory.write(".suanpanignore", "*.pyc\n.suanpanignore\n")
        #expect(symlink("lib/a.py", directory.path + "/link") == 0)
        let local = try await LocalTree.read(directory.path)
        let digest = { (text: String) in ContentHash.digest(of: Array(text.utf8)) }
        #expect(
            local.tree.entries == [
                .init(path: "lib/a.py", kind: .file(digest("a"), size: 1, isExecutable: false)),
                .init(path: "link", kind: .link(target: "lib/a.py")),
                .init(path: "run.sh", kind: .file(digest("#!/bin/sh"), size: 9, isExecutable: true)),
            ])
        let single = try await LocalTree.read(directory.path + "/run.sh", as: "other")
        #expect(single.tree.entries.map(\.path) == ["other"])
    }

    @Test(
        "inputs by option",
        arguments: [
            ("src:.", "src", "."), ("src", "src", "."), ("a/b:c/d", "a/b", "c/d"), ("dataset:digits@v1:data", "dataset:digits@v1", "data"),
            ("dataset:digits@v1", "dataset:digits@v1", "."), ("https://h:8080/x:y", "https://h:8080/x", "y"),
            ("https://h:8080/x", "https://h:8080/x", "."), ("./x:./y/", "./x", "y"),
        ])
    func inputs(_ text: String, _ from: String, _ to: String) throws {
        #expect(try JobInputs.input(text) == ["from": .string(from), "to": .string(to)])
    }

    @Test("outputs keep their place unless another is named; secrets go to files or variables")
    func outputs() throws {
        #expect(try JobInputs.output("out") == ["from": "out", "to": "out"])
        #expect(try JobInputs.output("out:results/") == ["from": "out", "to": "results"])
        #expect(try JobInputs.secret("token") == "token")
        #expect(try JobInputs.secret("token:TOKEN") == ["name": "token", "env": "TOKEN"])
        #expect(throws: CommandFailure.self) { try JobInputs.output("../out") }
        #expect(throws: CommandFailure.self) { try JobInputs.input("x:/etc") }
        #expect(throws: CommandFailure.self) { try JobInputs.secret("TOKEN") }
    }
}
