import ClusterModel

/// Inputs, outputs and secrets as options give them, and local paths on their way to the coordinator.
enum JobInputs {
    private static let remoteForms = ["tree:", "dataset:", "http://", "https://", ObjectAddress.scheme]

    /// `SRC:DST`, `SRC` alone for the top of the work directory.
    static func input(_ text: String) throws(CommandFailure) -> JSONValue {
        let scheme = remoteForms.first { text.hasPrefix($0) } ?? ""
        let (from, to) = split(text, after: scheme)
        return ["from": .string(from), "to": .string(try place(to ?? ".", "--input", text))]
    }

    /// `SRC:DST`, `SRC` alone to keep it under its own name; a destination may be an address of an object store.
    static func output(_ text: String) throws(CommandFailure) -> JSONValue {
        if let range = text.firstRange(of: ":\(ObjectAddress.scheme)") {
            let address = String(text[text.index(after: range.lowerBound)...])
            guard ObjectAddress(address) != nil else {
                throw CommandFailure(.usage, "--output '\(text)': '\(address)' must be \(ObjectAddress.grammar)")
            }
            return ["from": .string(try place(String(text[..<range.lowerBound]), "--output", text)), "to": .string(address)]
        }
        let (from, to) = split(text, after: "")
        let source = try place(from, "--output", text)
        return [
            "from": .string(source), "to": .string(try to.map { to throws(CommandFailure) in try place(to, "--output", text) } ?? source),
        ]
    }

    /// `NAME` for a file, `NAME:VARIABLE` for an environment variable.
    static func secret(_ text: String) throws(CommandFailure) -> JSONValue {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard ObjectName.isValid(parts[0]) else { throw CommandFailure(.usage, "--secret '\(text)': expected NAME or NAME:VARIABLE") }
        return parts.count == 2 ? ["name": .string(parts[0]), "env": .string(parts[1])] : .string(parts[0])
    }

    private static func split(_ text: String, after scheme: String) -> (from: String, to: String?) {
        let body = text.dropFirst(scheme.count)
        // A port's colon is followed by digits and a slash; a destination is not.
        guard let colon = body.lastIndex(of: ":") else { return (text, nil) }
        let to = String(body[body.index(after: colon)...])
        if scheme.hasPrefix("http"), let slash = to.firstIndex(of: "/"), to[..<slash].allSatisfy(\.isNumber) { return (text, nil) }
        return (scheme + body[..<colon], to)
    }

    private static func place(_ text: String, _ option: String, _ whole: String) throws(CommandFailure) -> String {
        guard let path = RelativePath.normalized(text) else {
            throw CommandFailure(.usage, "\(option) '\(whole)': '\(text)' must be \(RelativePath.grammar)")
        }
        return path.isEmpty ? "." : path
    }

    /// The same body with every local path uploaded and named by its tree.
    static func upload(_ body: JSONValue, through client: CoordinatorClient, _ console: Console) async throws(CommandFailure) -> JSONValue {
        guard case .object(var job) = body, let inputs = job["inputs"]?.items else { return body }
        let transfer = FileTransfer(client: client, console: console)
        var travelled: [JSONValue] = []
        for input in inputs {
            guard case .object(var object) = input, let from = object["from"]?.text, !remoteForms.contains(where: from.hasPrefix) else {
                travelled.append(input)
                continue
            }
            let to = object["to"]?.text ?? "."
            // A file alone becomes the destination, unless that is the top or ends as a directory.
            let isDirectory = to == "." || to.hasSuffix("/") || to.isEmpty
            let path = RelativePath.normalized(to) ?? to
            let name = isDirectory ? nil : path.split(separator: "/").last.map(String.init)
            let local = try await LocalTree.read(from, as: name)
            let isFile = local.tree.entries.count == 1 && local.sources.values.first?.path == from
            object["from"] = .string("tree:\(try await transfer.upload(local))")
            if isFile, !isDirectory { object["to"] = .string(path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) : ".") }
            travelled.append(.object(object))
        }
        job["inputs"] = .array(travelled)
        return .object(job)
    }
}
