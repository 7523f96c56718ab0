import Foundation
import Testing

@Suite struct DocumentLinksTests {
    @Test func linksOfAllDocumentsResolve() throws {
        let inFolders = try Layout.topFolders.sorted().filter(Checkout.exists).flatMap { try Checkout.paths(below: $0) }
        let documents = (Array(Layout.topFiles).filter(Checkout.isFile) + inFolders).filter { $0.hasSuffix(".md") }
        #expect(documents.contains("README.md"))
        let links = DocumentLinks(exists: Checkout.exists, text: { try? Checkout.text($0) })
        for path in documents {
            for finding in links.findings(in: SourceFile(path: path, text: try Checkout.text(path))) { Issue.record("\(finding)") }
        }
    }

    // MARK: Each check catches what it is for

    private func messages(_ text: String, at path: String = "Deploy/guide.md") -> [String] {
        let tree = ["README.md": "# Start here\n## What's *new*, `now`?\n", "Deploy/test.sh": "", "Deploy/guide.md": ""]
        let links = DocumentLinks(exists: { tree[$0] != nil }, text: { tree[$0] })
        return links.findings(in: SourceFile(path: path, text: text)).map(\.message)
    }

    @Test(
        "A broken link or name is found",
        arguments: [
            "[a](missing.md)", "see [a](../missing.md) and [b](test.sh)", "![p](missing.png \"title\")", "[a]: missing.md",
            "[a](/README.md)",
            "[a](../../README.md)", "[a](../README.md#nowhere)", "[a](#nowhere)", "run `Deploy/missing.sh --keep`", "`Deploy/missing.sh`",
        ])
    func broken(text: String) { #expect(messages(text).count == 1) }

    @Test(
        "What resolves passes",
        arguments: [
            "[a](test.sh)", "[a](./test.sh)", "[a](../README.md#start-here)", "[a](../README.md#whats-new-now)",
            "[a](https://example.org/x)",
            "[a](mailto:a@example.org)", "`[a](missing.md)`", "```\n[a](missing.md)\n```", "`Sources/<Target>/A.swift`", "`Deploy/test.sh`",
            "`missing.md`", "# Here\n[a](#here)",
        ])
    func resolves(text: String) { #expect(messages(text) == []) }
}
