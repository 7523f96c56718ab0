import Foundation
import Testing

/// Inputs from and outputs to an object store: the real rclone against a small store that speaks what it needs of S3.
@Suite(.serialized) struct ObjectStoreTests {
    static let hasRclone = FileManager.default.isExecutableFile(atPath: "/usr/bin/rclone")

    /// A store over a directory, `BUCKET/KEY` for each object. It answers who signs as `KEY1`, and prints its port.
    private static let program = #"""
        import hashlib, os, sys, urllib.parse, http.server, xml.sax.saxutils as sax
        root = sys.argv[1]
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *_): pass
            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers: self.send_header(name, value)
                if "Content-Length" not in dict(headers): self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
            def fault(self, status, code): self.answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())
            def place(self):
                url = urllib.parse.urlsplit(self.path)
                self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
                if "Credential=KEY1/" not in self.headers.get("Authorization", ""): self.fault(403, "AccessDenied"); return None
                return os.path.join(root, urllib.parse.unquote(url.path).strip("/"))
            def do_HEAD(self): self.do_GET()
            def do_GET(self):
                path = self.place()
                if path is None: return
                if os.path.isdir(path) and path.count("/") == root.count("/") + 1: return self.list(path)
                if not os.path.isfile(path): return self.fault(404, "NoSuchKey")
                data = open(path, "rb").read()
                self.answer(200, data, [("ETag", '"' + hashlib.md5(data).hexdigest() + '"'), ("Content-Length", str(len(data))),
                    ("Last-Modified", "Sat, 21 Nov 2026 00:00:00 GMT")])
            def list(self, bucket):
                prefix, entries, common = self.query.get("prefix", ""), "", set()
                for folder, _, names in sorted(os.walk(bucket)):
                    for name in sorted(names):
                        path = os.path.join(folder, name)
                        key = os.path.relpath(path, bucket)
                        if not key.startswith(prefix): continue
                        rest = key[len(prefix):]
                        if self.query.get("delimiter") and "/" in rest: common.add(prefix + rest.split("/")[0] + "/"); continue
                        entries += f"<Contents><Key>{sax.escape(key)}</Key><LastModified>2026-11-21T00:00:00Z</LastModified>" \
                            f"<ETag>&quot;{hashlib.md5(open(path, 'rb').read()).hexdigest()}&quot;</ETag><Size>{os.path.getsize(path)}</Size></Contents>"
                entries += "".join(f"<CommonPrefixes><Prefix>{sax.escape(p)}</Prefix></CommonPrefixes>" for p in sorted(common))
                self.answer(200, f'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>'.encode())
            def do_PUT(self):
                data = self.rfile.read(int(self.headers["Content-Length"]))
                path = self.place()
                if path is None: return
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "wb").write(data)
                self.answer(200, b"", [("ETag", '"' + hashlib.md5(data).hexdigest() + '"')])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()
        """#

    private final class Store {
        let port: String
        private let process = Process()

        init(root: String) throws {
            process.executableURL = URL(filePath: "/usr/bin/python3")
            process.arguments = ["-c", ObjectStoreTests.program, root]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).trimmingCharacters(in: .newlines)
        }

        /// Not SIGTERM: it may be blocked in the thread that started it.
        deinit { kill(process.processIdentifier, SIGKILL) }
    }

    private func write(_ path: String, _ text: String) throws {
        try FileManager.default.createDirectory(
            atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// A cluster, a store with one bucket, and the tenant's secret for it.
    private func prepared(accessKey: String = "KEY1") throws -> (cluster: Cluster, store: Store, bucket: String) {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let root = "\(cluster.directory)/objects"
        try write("\(root)/data/digits/train.csv", "1,2,3\n")
        try write("\(root)/data/digits/deep/test.csv", "4,5,6\n")
        let store = try Store(root: root)
        try write(
            "\(cluster.directory)/s3",
            "AWS_ACCESS_KEY_ID=\(accessKey)\nAWS_SECRET_ACCESS_KEY=hush-hush\nAWS_ENDPOINT_URL=http://127.0.0.1:\(store.port)\n")
        #expect(cluster.suanpan("secret", "set", "s3", "--from-file", "\(cluster.directory)/s3").code == 0)
        return (cluster, store, "\(root)/data")
    }

    @Test(.enabled(if: hasRclone, "needs rclone")) func aJobReadsFromABucketAndWritesToIt() throws {
        let (cluster, store, bucket) = try prepared()
        defer { withExtendedLifetime(store) {} }
        let job = try cluster.submit(
            "--secret", "s3", "--input", "s3://data/digits:in", "--input", "s3://data/digits/train.csv:one", "--output",
            "out:s3://data/results", "--output", "log", "--", "sh", "-c",
            "cat in/train.csv in/deep/test.csv one/train.csv > log && mkdir out && cp log out/all && ls -l in | grep -c train")
        let waited = cluster.suanpan("wait", job)
        #expect(waited.code == 0, "\(waited.errors) \(cluster.log("agent"))")
        #expect(read("\(bucket)/results/\(job).0/all") == "1,2,3\n4,5,6\n1,2,3\n")
        #expect(cluster.suanpan("cp", "\(job):log", "-").output == "1,2,3\n4,5,6\n1,2,3\n")
        #expect(!cluster.log("agent").contains("hush-hush") && !cluster.log("coordinator").contains("hush-hush"))
    }

    @Test(.enabled(if: hasRclone, "needs rclone")) func whatTheStoreRefusesOrLacksFailsTheJobAndSaysSo() throws {
        let (cluster, store, _) = try prepared(accessKey: "KEY2")
        defer { withExtendedLifetime(store) {} }
        let refused = try cluster.submit("--secret", "s3", "--input", "s3://data/digits:in", "--", "true")
        let waited = cluster.suanpan("wait", refused)
        #expect(
            waited.code == 125 && waited.errors.contains("s3://data/digits") && waited.errors.contains("AccessDenied"), "\(waited.errors)")
        try write("\(cluster.directory)/s3", "RCLONE_CONFIG_PASS=x\n")
        #expect(cluster.suanpan("secret", "set", "s3", "--from-file", "\(cluster.directory)/s3").code == 0)
        let strange = try cluster.submit("--secret", "s3", "--input", "s3://data/digits:in", "--", "true")
        let other = cluster.suanpan("wait", strange)
        #expect(other.code == 125 && other.errors.contains("AWS_ACCESS_KEY_ID"), "\(other.errors)")
        #expect(cluster.suanpan("submit", "--input", "s3://no_such_bucket/x:in", "--", "true").code == 2)
    }
}
