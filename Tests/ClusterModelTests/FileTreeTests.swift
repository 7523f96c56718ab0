import ClusterModel
import Testing

@Suite("Trees")
struct FileTreeTests {
    private static let digest = ContentDigest(bytes: [UInt8](0..<32))!

    private static func file(_ path: String, size: Int64 = 3, isExecutable: Bool = false) -> FileTree.Entry {
        .init(path: path, kind: .file(digest, size: size, isExecutable: isExecutable))
    }

    @Test("one tree has one text, in the order of bytes")
    func text() throws {
        let tree = try FileTree([
            Self.file("b c%\u{1}ü", isExecutable: true), .init(path: "a/empty", kind: .directory),
            .init(path: "a-link", kind: .link(target: "../x y")), Self.file("a/f"),
        ])
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        let text = """
            suanpan-tree 1
            l ../x%20y a-link
            d a/empty
            f 3 \(hex) a/f
            x 3 \(hex) b%20c%25%01ü

            """
        #expect(String(decoding: tree.text, as: UTF8.self) == text)
        #expect(try FileTree(parsing: Array(text.utf8)) == tree)
        #expect(tree["a/f"]?.path == "a/f")
        #expect(tree["a"] == nil)
        #expect(tree.contents.count == 1)
        #expect(tree.size == 6)
    }

    @Test(
        "what leads out of the tree, or contradicts itself, is no tree",
        arguments: [
            [file("../x")], [file("/x")], [file("a//b")], [file("")], [file("a/./b")], [file("a\0b")], [file("x"), file("x")],
            [file("x"), file("x/y")], [file("x", size: -1)], [.init(path: "l", kind: .link(target: ""))],
            [file(String(repeating: "n", count: 256))],
        ])
    func refused(_ entries: [FileTree.Entry]) { #expect(throws: FileTreeError.self) { try FileTree(entries) } }

    @Test(
        "only the one text of a tree is read",
        arguments: [
            "", "suanpan-tree 2\n", "suanpan-tree 1", "suanpan-tree 1\nd a", "suanpan-tree 1\nd b\nd a\n", "suanpan-tree 1\nd %61\n",
            "suanpan-tree 1\nf 03 \(digest) a\n", "suanpan-tree 1\nd a b\n", "suanpan-tree 1\nq a\n", "suanpan-tree 1\nd %\n",
            "suanpan-tree 1\nf 3 ABC a\n", "suanpan-tree 1\n\n",
        ])
    func otherTexts(_ text: String) { #expect(throws: FileTreeError.self) { try FileTree(parsing: Array(text.utf8)) } }

    @Test("an empty tree is a tree")
    func empty() throws { #expect(try FileTree(parsing: Array("suanpan-tree 1\n".utf8)) == FileTree([])) }

    @Test("a digest has one spelling")
    func digests() {
        let text = String(repeating: "0a", count: 32)
        #expect(ContentDigest(parsing: text)?.text == text)
        for wrong in [text.uppercased(), String(text.dropLast()), text + "0", "", String(repeating: "0g", count: 32)] {
            #expect(ContentDigest(parsing: wrong) == nil)
        }
    }

    @Test(
        "paths as people write them",
        arguments: [("./a//b/", "a/b"), (".", ""), ("", ""), ("a", "a"), ("../a", nil), ("/a", nil), ("a/../b", nil)])
    func paths(_ text: String, _ path: String?) { #expect(RelativePath.normalized(text) == path) }
}

@Suite("Forms of a job")
struct JobFormTests {
    @Test("a job of form 1 is read with no files, one of a later form is refused")
    func forms() throws {
        let job = JobSpecification(name: "j", groups: [TaskGroup(name: "main", command: ["true"])])
        let bytes = job.canonicalBytes
        #expect(bytes.prefix(2) == [0, 6])
        // What form 6 added to a job that says nothing of it: three empty fields; form 5: six; form 4 to one without an estimate: one; form 3 to one without
        // centers: two; form 2 to one without files: four.
        let fifth = Array(bytes.dropFirst(2).dropLast(3))
        #expect(try JobSpecification(canonicalBytes: [0, 5] + fifth) == job)
        let fourth = Array(fifth.dropLast(6))
        #expect(try JobSpecification(canonicalBytes: [0, 4] + fourth) == job)
        let third = Array(fourth.dropLast(1))
        #expect(try JobSpecification(canonicalBytes: [0, 3] + third) == job)
        let second = Array(third.dropLast(2))
        #expect(try JobSpecification(canonicalBytes: [0, 2] + second) == job)
        let first = Array(second.dropLast(4))
        #expect(try JobSpecification(canonicalBytes: first) == job)
        #expect(throws: CanonicalError.malformed("unknown form 7 of a job")) { try JobSpecification(canonicalBytes: [0, 7] + first) }
    }

    @Test("files and secrets are judged with their fields")
    func validation() {
        func fields(_ change: (inout JobSpecification) -> Void) -> [String] {
            var job = JobSpecification(name: "j", groups: [TaskGroup(name: "main", command: ["true"])])
            change(&job)
            return job.validate().map(\.field)
        }
        let tree = JobInput(source: .tree(ContentDigest(bytes: [UInt8](repeating: 1, count: 32))!), path: "")
        #expect(fields { $0.inputs = [tree] } == [])
        #expect(fields { $0.inputs = [JobInput(source: tree.source, path: "../x")] } == ["inputs[0].to"])
        #expect(fields { $0.inputs = Array(repeating: tree, count: 33) } == ["inputs"])
        #expect(fields { $0.inputs = [JobInput(source: .url("file:///etc/passwd", nil), path: "x")] } == ["inputs[0].from"])
        #expect(fields { $0.inputs = [JobInput(source: .url("https://a/b", nil), path: "")] } == ["inputs[0].to"])
        #expect(fields { $0.outputs = [JobOutput(path: "/out", destination: "a\0")] } == ["outputs[0].from", "outputs[0].to"])
        #expect(
            fields { $0.secrets = [JobSecret(name: "A"), JobSecret(name: "a", variable: "1")] } == ["secrets[0].name", "secrets[1].env"])
        #expect(
            fields {
                $0.groups[0].workDirectory = "/srv"
                $0.outputs = [JobOutput(path: "out", destination: "out")]
            } == ["groups[0].workdir"])
    }
}
