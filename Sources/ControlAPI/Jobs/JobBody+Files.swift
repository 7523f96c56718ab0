import ClusterModel

/// Inputs, outputs and secrets of a job's body.
extension JobBody {
    private static let sourceForms = "tree:DIGEST, dataset:NAME@VERSION, or an http://, https:// or s3:// address"

    func inputs(_ reader: inout FieldReader) -> [JobInput] {
        entries(&reader, "inputs") { entry in
            let text = entry.string("from") ?? ""
            let digest = entry.string("digest")
            let path = self.path(&entry, "to") ?? ""
            let content = digest.flatMap { ContentDigest(parsing: $0) }
            if let digest, content == nil {
                problems.add(entry.path(of: "digest"), expected: "a SHA-256 of 64 hexadecimal digits", not: .string(digest))
            }
            guard let source = source(text, content, &entry) else { return nil }
            return JobInput(source: source, path: path)
        }
    }

    private func source(_ text: String, _ content: ContentDigest?, _ entry: inout FieldReader) -> JobInput.Source? {
        if text.hasPrefix("https://") || text.hasPrefix("http://") { return .url(text, content) }
        if text.hasPrefix(ObjectAddress.scheme), content == nil { return .url(text, nil) }
        if content != nil {
            problems.add(entry.path(of: "digest"), "is for http:// and https:// addresses; a tree and a data set are known by their own")
        }
        if text.hasPrefix("tree:"), let tree = ContentDigest(parsing: text.dropFirst("tree:".count)) { return .tree(tree) }
        if text.hasPrefix("dataset:") {
            let parts = text.dropFirst("dataset:".count).split(separator: "@", omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 {
                if let tree = dataset(parts[0], parts[1], tenant) { return .dataset(name: parts[0], version: parts[1], tree: tree) }
                problems.add(entry.path(of: "from"), "there is no data set '\(text.dropFirst("dataset:".count).prefix(130))'")
                return nil
            }
        }
        problems.add(
            entry.path(of: "from"),
            "expected \(Self.sourceForms), not '\(text.prefix(80))'; 'suanpan submit' uploads what is on your machine")
        return nil
    }

    func outputs(_ reader: inout FieldReader) -> [JobOutput] {
        entries(&reader, "outputs") { entry in
            let path = self.path(&entry, "from")
            if path == nil { problems.add(entry.path(of: "from"), "is missing: a path below the work directory") }
            return JobOutput(path: path ?? "", destination: destination(&entry) ?? path ?? "")
        }
    }

    /// A name, or a name and the variable that shall hold it.
    func secrets(_ reader: inout FieldReader) -> [JobSecret] {
        guard let items = reader.items("secrets") else { return [] }
        return items.enumerated().map { index, item in
            if case .string(let name) = item { return JobSecret(name: name) }
            var entry = FieldReader(item, at: .item(reader.path(of: "secrets"), index), problems: problems)
            let secret = JobSecret(name: entry.string("name") ?? "", variable: entry.string("env") ?? "")
            entry.finish()
            return secret
        }
    }

    private func entries<Value>(_ reader: inout FieldReader, _ name: StaticString, _ read: (inout FieldReader) -> Value?) -> [Value] {
        guard let items = reader.items(name) else { return [] }
        return items.enumerated().compactMap { index, item in
            var entry = FieldReader(item, at: .item(reader.path(of: name), index), problems: problems)
            let value = read(&entry)
            entry.finish()
            return value
        }
    }

    private func destination(_ entry: inout FieldReader) -> String? {
        guard let text = entry.string("to"), text.hasPrefix(ObjectAddress.scheme) else { return path(&entry, "to") }
        if let address = ObjectAddress(text) { return address.description }
        problems.add(entry.path(of: "to"), expected: ObjectAddress.grammar, not: .string(text))
        return ""
    }

    private func path(_ reader: inout FieldReader, _ name: StaticString) -> String? {
        guard let text = reader.string(name) else { return nil }
        if let path = RelativePath.normalized(text) { return path }
        problems.add(reader.path(of: name), expected: RelativePath.grammar, not: .string(text))
        return ""
    }
}
