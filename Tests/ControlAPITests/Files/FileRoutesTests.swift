import ClusterModel
import ContentFiles
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ControlAPI

@Suite("Files by the interface")
struct FileRoutesTests {
    private static let text = "a text of some length"
    private static let digest = ContentHash.digest(of: Array(text.utf8))
    private static let tree = try! FileTree([.init(path: "dir/f", kind: .file(digest, size: Int64(text.utf8.count), isExecutable: false))])
    private static let treeDigest = ContentHash.digest(of: tree.text)
    private static var treeText: String { String(decoding: tree.text, as: UTF8.self) }

    @Test("a content that was uploaded can be read, whole and in part, by its tenant alone")
    func contents() async throws {
        try await Interface.run { interface async throws in
            let path = "/v1/blobs/\(Self.digest)"
            #expect(try await interface.call(.put, path, body: Self.text).status == .created)
            #expect(try await interface.call(.head, path).headers[.uploadOffset] == "21")
            #expect(try await interface.get(path).text == Self.text)
            let part = try await interface.get(path, headers: [.range: "bytes=2-5"])
            #expect(part.status == .partialContent && part.text == "text" && part.headers[.contentRange] == "bytes 2-5/21")
            #expect(try await interface.get(path, headers: [.range: "bytes=99-"]).text == Self.text)
            #expect(try await interface.get(path, as: .stranger).status == .notFound)
            #expect(try await interface.get(path, as: .viewer).status == .forbidden)
        }
    }

    @Test("parts of an upload follow each other, and the answer says where to go on")
    func parts() async throws {
        try await Interface.run { interface async throws in
            let path = "/v1/blobs/\(Self.digest)"
            let first = try await interface.call(.put, path, body: String(Self.text.prefix(4)), headers: [.contentRange: "bytes 0-3/21"])
            #expect(first.status == .accepted && first.headers[.uploadOffset] == "4")
            let wrong = try await interface.call(.put, path, body: "x", headers: [.contentRange: "bytes 7-7/21"])
            #expect(wrong.status == .conflict && wrong.headers[.uploadOffset] == "4")
            let missing = try await interface.call(.head, path)
            #expect(missing.status == .notFound && missing.headers[.uploadOffset] == "4")
            let rest = try await interface.call(.put, path, body: String(Self.text.dropFirst(4)), headers: [.contentRange: "bytes 4-20/21"])
            #expect(rest.status == .created)
        }
    }

    @Test("content that is not what it says, and digests that are none, are refused")
    func wrong() async throws {
        try await Interface.run { interface async throws in
            #expect(try await interface.call(.put, "/v1/blobs/\(Self.digest)", body: "other").json()["code"] == .string("digest_mismatch"))
            #expect(try await interface.call(.put, "/v1/blobs/ABC", body: "x").json()["code"] == .string("invalid"))
            #expect(
                try await interface.call(.put, "/v1/trees/\(Self.treeDigest)", body: "no tree").json()["code"] == .string("digest_mismatch")
            )
        }
    }

    @Test("a tree asks for what is missing, then is kept, and a job may name it")
    func trees() async throws {
        try await Interface.run { interface async throws in
            let path = "/v1/trees/\(Self.treeDigest)"
            let job =
                #"{"command": ["true"], "inputs": [{"from": "tree:\#(Self.treeDigest)", "to": "src"}], "outputs": [{"from": "out/"}]}"#
            #expect(try await interface.call(.post, "/v1/jobs", body: job).json()["errors"]?[0]?["field"] == .string("inputs[0].from"))
            let asked = try await interface.call(.put, path, body: Self.treeText)
            #expect(asked.status == .ok)
            #expect(try asked.json()["missing"]?[0] == .string(Self.digest.text))
            _ = try await interface.call(.put, "/v1/blobs/\(Self.digest)", body: Self.text)
            #expect(try await interface.call(.put, path, body: Self.treeText).status == .created)
            let accepted = try await interface.call(.post, "/v1/jobs", body: job)
            #expect(accepted.status == .created)
            #expect(try accepted.json()["inputs"]?[0]?["from"] == .string("tree:\(Self.treeDigest)"))
            #expect(try accepted.json()["outputs"]?[0]?["to"] == .string("out"))
            // The tree is the tenant's that submits, not of whoever knows its digest.
            #expect(try await interface.call(.post, "/v1/jobs", as: .stranger, body: job).status == .badRequest)
        }
    }

    @Test("an attempt's pass moves files of its tenant, notes its own outputs, and opens nothing else")
    func passes() async throws {
        try await Interface.run { interface async throws in
            let attempt = AttemptID(job: JobID(1), index: 0, number: 1)
            let pass = [UInt8](repeating: 5, count: 32)
            interface.plane.change { $0.passes[attempt] = ("vision", pass) }
            let bearer = "Bearer sa_\(attempt)_\(ContentDigest(bytes: pass)!)"
            _ = try await interface.call(.post, "/v1/jobs", body: #"{"command": ["true"]}"#)
            _ = try await interface.call(.put, "/v1/blobs/\(Self.digest)", as: nil, body: Self.text, headers: [.authorization: bearer])
            #expect(
                try await interface.call(
                    .put, "/v1/trees/\(Self.treeDigest)", as: nil, body: Self.treeText, headers: [.authorization: bearer]
                ).status == .created)
            let outputs = #"{"tree": "\#(Self.treeDigest)"}"#
            #expect(
                try await interface.call(.put, "/v1/attempts/1.0.2/outputs", as: nil, body: outputs, headers: [.authorization: bearer])
                    .status == .forbidden)
            #expect(
                try await interface.call(.put, "/v1/attempts/1.0.1/outputs", as: nil, body: outputs, headers: [.authorization: bearer])
                    .status == .noContent)
            #expect(try await interface.call(.put, "/v1/attempts/1.0.1/outputs", body: outputs).status == .forbidden)
            #expect(try await interface.call(.get, "/v1/jobs", as: nil, headers: [.authorization: bearer]).status == .unauthorized)
            let forged = "Bearer sa_\(attempt)_\(ContentDigest(bytes: [UInt8](repeating: 6, count: 32))!)"
            #expect(
                try await interface.call(.head, "/v1/blobs/\(Self.digest)", as: nil, headers: [.authorization: forged]).status
                    == .unauthorized)
            let files = try await interface.get("/v1/jobs/1/files").json()
            #expect(files["items"]?[0]?["path"] == .string("dir/f"))
            #expect(try await interface.get("/v1/jobs/1/files/dir/f").text == Self.text)
            #expect(try await interface.get("/v1/jobs/1/files/dir/%67").status == .notFound)
            #expect(try await interface.get("/v1/jobs/1/files/dir/f?task=1").status == .notFound)
            #expect(try await interface.get("/v1/jobs/1/files", as: .stranger).status == .notFound)
        }
    }

    @Test("a secret is set, listed by name, removed, and never shown")
    func secrets() async throws {
        try await Interface.run { interface async throws in
            let reply = try await interface.call(.put, "/v1/secrets/token", body: #"{"value": "hush"}"#)
            #expect(reply.status == .ok && !reply.text.contains("hush"))
            let list = try await interface.get("/v1/secrets")
            #expect(try list.json()["items"]?[0]?["name"] == .string("token") && !list.text.contains("hush"))
            #expect(try await interface.get("/v1/secrets", as: .stranger).json()["items"]?.items?.isEmpty == true)
            #expect(try await interface.get("/v1/secrets", as: .viewer).status == .forbidden)
            #expect(try await interface.call(.put, "/v1/secrets/token", body: "{}").json()["code"] == .string("invalid"))
            #expect(try await interface.call(.delete, "/v1/secrets/token").status == .noContent)
            #expect(try await interface.call(.delete, "/v1/secrets/token").status == .notFound)
        }
    }

    @Test("a data set is made of a tree, found by name and version, and named by jobs")
    func datasets() async throws {
        try await Interface.run { interface async throws in
            let path = "/v1/datasets/digits/versions/v1"
            let body = #"{"tree": "\#(Self.treeDigest)"}"#
            #expect(try await interface.call(.put, path, body: body).status == .badRequest)
            _ = try await interface.call(.put, "/v1/blobs/\(Self.digest)", body: Self.text)
            _ = try await interface.call(.put, "/v1/trees/\(Self.treeDigest)", body: Self.treeText)
            let made = try await interface.call(.put, path, body: body)
            #expect(try made.status == .created && made.json()["size"] == .number(21))
            #expect(try await interface.get(path).json()["tree"] == .string(Self.treeDigest.text))
            #expect(try await interface.get(path, as: .stranger).status == .notFound)
            let job = #"{"command": ["true"], "inputs": [{"from": "dataset:digits@v1", "to": "data"}]}"#
            #expect(try await interface.call(.post, "/v1/jobs", body: job).json()["inputs"]?[0]?["from"] == .string("dataset:digits@v1"))
            #expect(try await interface.call(.post, "/v1/jobs", as: .stranger, body: job).status == .badRequest)
            #expect(try await interface.call(.delete, path).status == .noContent)
        }
    }
}
