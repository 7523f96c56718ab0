// YAML read as JSON, by the core schema of YAML 1.2: `no`, `on` and `1:30` are strings, as people mean them.

import Yams

/// Why a text is not a document that can stand for JSON.
struct YAMLDocumentError: Error, Equatable, Sendable {
    let message: String
    /// Counts from 1; nil where the whole document is meant.
    let line: Int?
}

extension JSONValue {
    /// The one document of `yaml`; JSON is a subset of YAML, so job files of either kind come here.
    init(yaml: String) throws(YAMLDocumentError) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: yaml)
        } catch let error as YamlError {
            throw YAMLDocumentError(error)
        } catch {
            throw YAMLDocumentError(message: "\(error)", line: nil)
        }
        var budget = 1_000_000
        self = try node.map { node throws(YAMLDocumentError) in try Self.convert(node, depth: 0, budget: &budget) } ?? .null
    }

    private static func convert(_ node: Node, depth: Int, budget: inout Int) throws(YAMLDocumentError) -> JSONValue {
        budget -= 1
        guard depth < 128, budget > 0 else { throw YAMLDocumentError(message: "too deep or too large", line: node.mark?.line) }
        switch node {
        case .scalar(let scalar): return convert(scalar)
        case .sequence(let sequence):
            var items: [JSONValue] = []
            for item in sequence { items.append(try convert(item, depth: depth + 1, budget: &budget)) }
            return .array(items)
        case .mapping(let mapping):
            var members: [JSONObject.Member] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw YAMLDocumentError(message: "a key must be a plain word", line: key.mark?.line)
                }
                guard name.string != "<<" else {
                    throw YAMLDocumentError(message: "merge keys (<<) are not supported", line: key.mark?.line)
                }
                members.append(JSONObject.Member(name: name.string, value: try convert(value, depth: depth + 1, budget: &budget)))
            }
            return .object(JSONObject(members))
        case .alias: throw YAMLDocumentError(message: "an alias without an anchor", line: node.mark?.line)
        }
    }

    private static func convert(_ scalar: Node.Scalar) -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default:
            // A number is a number when JSON would read it so; `007` and `1e` stay text.
            guard case .number(let literal)? = try? JSONValue(parsing: scalar.string.utf8) else { return .string(scalar.string) }
            return .number(literal)
        }
    }
}

extension YAMLDocumentError {
    fileprivate init(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            self.init(message: problem, line: mark.line)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.sorted().joined(separator: ", ")
            self.init(message: "the same key twice: \(names)", line: context.mark.line)
        case .reader(let problem, _, _, _): self.init(message: problem, line: nil)
        default: self.init(message: "not YAML", line: nil)
        }
    }
}
