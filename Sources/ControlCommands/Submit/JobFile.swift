// Job files: YAML or JSON into the object of `POST /v1/jobs`. The coordinator judges values; here only what it could
// not know is judged: that the text is one mapping, and that no field is misspelt.

import ClusterModel
import Glibc

enum JobFile {
    static let bytesMax = 4 << 20

    /// Reads the file, or standard input for `-`.
    static func read(_ path: String) throws(CommandFailure) -> JSONValue {
        let name = path == "-" ? "standard input" : path
        let content =
            path == "-"
            ? FileContent.read(descriptor: STDIN_FILENO, limit: bytesMax) : FileContent.read(path: path, limit: bytesMax)
        guard let content else { throw CommandFailure(.usage, "\(name): \(SystemError.text(errno))") }
        guard let text = String(validating: content, as: UTF8.self) else { throw CommandFailure(.usage, "\(name) is not UTF-8") }
        return try parse(text, name: name)
    }

    static func parse(_ text: String, name: String = "job file") throws(CommandFailure) -> JSONValue {
        let document: JSONValue
        do {
            document = try JSONValue(yaml: text)
        } catch {
            let place = error.line.map { ", line \($0)" } ?? ""
            throw CommandFailure(.usage, "\(name)\(place): \(error.message)")
        }
        guard case .object = document else { throw failure("must be a mapping of fields, such as name: …", name: name) }
        var faults: [String] = []
        JobFileSchema.job.check(document, at: "", into: &faults)
        guard faults.isEmpty else {
            throw CommandFailure(
                .usage, faults.count == 1 ? "\(name): \(faults[0])" : "\(name) is not a job", details: faults.count == 1 ? [] : faults)
        }
        return JobFileSchema.job.normalized(document)
    }

    static func failure(_ message: String, name: String = "job file") -> CommandFailure { CommandFailure(.usage, "\(name): \(message)") }
}

/// The fields that an object may have. Values stay unjudged except for their shape.
indirect enum JobFileSchema: Sendable {
    /// Anything but a mapping or a list is left to the coordinator.
    case value
    case object([String: JobFileSchema])
    case list(JobFileSchema)
    /// Free names with text as values: `env`, `labels`. Numbers and booleans become the text that was written.
    case texts
    /// Either shape; a plain value is a short form of the object.
    case valueOr(JobFileSchema)

    static let job: JobFileSchema = .object(
        [
            "name": .value, "kind": .value, "project": .value, "queue": .value, "priority": .value, "preemptible": .value,
            "groups": .list(group), "array": .value, "after": .list(.object(["job": .value, "when": .value])), "beginAt": .value,
            "deadline": .value, "ports": .list(.valueOr(.any)), "timeLimit": .value, "estimate": .value,
            "maxPending": .value, "hold": .value, "pool": .value,
            "recur": .object(["every": .value, "cron": .value, "offset": .value, "overlap": .value, "until": .value]),
            "retry": .object(["limit": .value, "on": .list(.value), "limits": .any, "backoff": .value]),
            "checkpoint": .object(["path": .value, "interval": .value, "signal": .value, "grace": .value]), "inputs": .list(transfer),
            "outputs": .list(transfer),
            "onNodeLost": .value, "centers": .list(.value), "needsInternet": .value, "volumes": .list(.valueOr(.any)),
            "secrets": .list(.valueOr(.object(["name": .value, "env": .value]))), "labels": .texts, "grace": .value,
        ].merging(groupSchemas) { job, _ in job })

    /// What a group has; a job of one group may have them itself.
    static var groupFields: [String] { groupSchemas.keys.sorted() }

    private static let transfer: JobFileSchema = .object(["from": .value, "to": .value, "digest": .value])
    private static let devices: JobFileSchema = .valueOr(
        .object(["count": .value, "share": .value, "memory": .value, "model": .value, "template": .value, "computeUnits": .value]))
    private static let alternatives: [String: JobFileSchema] = ["gpu": devices, "npu": devices, "computeUnits": .value]
    private static let group: JobFileSchema = .object(groupSchemas)
    private static let groupSchemas: [String: JobFileSchema] = [
        "name": .value, "count": .value, "min": .value,
        "resources": .object(
            alternatives.merging(["cpu": .value, "memory": .value, "wholeCores": .value, "anyOf": .list(.object(alternatives))]) {
                first, _ in first
            }),
        "topology": .object(Dictionary(uniqueKeysWithValues: TopologyRequest.levels.map { ($0.name, JobFileSchema.value) })),
        "spread": .value, "constraints": .list(.value),
        "command": .list(.value), "image": .value, "env": .texts, "workdir": .value,
    ]
    private static let any: JobFileSchema = .object([:])

    private var isAny: Bool {
        guard case .object(let fields) = self else { return false }
        return fields.isEmpty
    }

    func check(_ value: JSONValue, at path: String, into faults: inout [String]) {
        guard value != .null else { return }
        switch (self, value) {
        case (.value, .object), (.value, .array): faults.append("\(path): expected a plain value")
        case (.value, _): break
        case (.object(let fields), .object(let object)):
            guard !isAny else { return }
            for member in object.members {
                let inner = path.isEmpty ? member.name : "\(path).\(member.name)"
                if let schema = fields[member.name] {
                    schema.check(member.value, at: inner, into: &faults)
                } else {
                    faults.append("unknown field \(inner); valid: \(fields.keys.sorted().joined(separator: ", "))")
                }
            }
        case (.object, _): faults.append("\(path): expected a mapping")
        case (.list(let schema), .array(let items)):
            for (index, item) in items.enumerated() { schema.check(item, at: "\(path)[\(index)]", into: &faults) }
        case (.list, _): faults.append("\(path): expected a list")
        case (.texts, .object(let object)):
            for member in object.members where member.value.scalarText == nil && member.value != .null {
                faults.append("\(path).\(member.name): expected text")
            }
        case (.texts, _): faults.append("\(path): expected a mapping of names to text")
        case (.valueOr(let schema), .object): schema.check(value, at: path, into: &faults)
        case (.valueOr, .array): faults.append("\(path): expected a plain value or a mapping")
        case (.valueOr, _): break
        }
    }

    /// The same object with text wherever the interface has text.
    func normalized(_ value: JSONValue) -> JSONValue {
        switch (self, value) {
        case (.object(let fields), .object(let object)):
            return .object(
                JSONObject(
                    object.members.map { JSONObject.Member(name: $0.name, value: fields[$0.name]?.normalized($0.value) ?? $0.value) }))
        case (.list(let schema), .array(let items)): return .array(items.map(schema.normalized))
        case (.texts, .object(let object)):
            return .object(
                JSONObject(object.members.map { JSONObject.Member(name: $0.name, value: .string($0.value.scalarText ?? "")) }))
        default: return value
        }
    }
}
