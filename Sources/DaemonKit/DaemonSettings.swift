import FoundationEssentials
import Yams

/// A daemon's settings by name, such as `data-dir`: flags over environment over a YAML file.
///
/// A setting that may be given several times is a list, or a mapping (`key=value` for each), in the file, and a text with
/// commas in the environment.
public struct DaemonSettings: Sendable {
    private var values: [String: [String]] = [:]

    /// - Parameters:
    ///   - flags: every setting that is one text, nil where the command line says nothing.
    ///   - lists: every setting that may be given several times.
    ///   - prefix: of the environment's names: `SUANPAN_` makes `SUANPAN_DATA_DIR` of `data-dir`.
    ///   - file: must be there; without one, `defaultFile` is read when it is.
    public init(
        flags: [String: String?], lists: [String: [String]] = [:], environment: [String: String], prefix: String, file: String?,
        defaultFile: String
    ) throws {
        if let file = file ?? (FileManager.default.fileExists(atPath: defaultFile) ? defaultFile : nil) {
            values = try Self.read(file, names: (Array(flags.keys) + Array(lists.keys)).sorted())
        }
        func variable(_ name: String) -> String? { environment[prefix + name.uppercased().replacing("-", with: "_")] }
        for (name, flag) in flags {
            if let text = flag ?? variable(name) { values[name] = [text] }
        }
        for (name, items) in lists {
            if !items.isEmpty { values[name] = items } else if let text = variable(name) { values[name] = Self.items(of: text) }
        }
    }

    public subscript(name: String) -> String? { values[name]?.joined(separator: ",") }

    public func list(_ name: String) -> [String] { values[name] ?? [] }

    private static func items(of text: String) -> [String] { text.split(separator: ",").map(String.init) }

    /// Throws for anything but yes and no in the forms of YAML and of shells.
    public func flag(_ name: String) throws -> Bool {
        switch self[name]?.lowercased() {
        case nil, "false", "no", "off", "0", "": false
        case "true", "yes", "on", "1": true
        case .some(let text): throw StartError("\(name): '\(text)'; expected true or false")
        }
    }

    private static func read(_ file: String, names: [String]) throws -> [String: [String]] {
        guard let bytes = FileManager.default.contents(atPath: file), let text = String(validating: bytes, as: UTF8.self) else {
            throw StartError("the configuration \(file) cannot be read")
        }
        let document: Node?
        do { document = try Yams.compose(yaml: text) } catch { throw StartError("\(file) is not YAML: \(error)") }
        guard let document, document.null == nil else { return [:] }
        guard let mapping = document.mapping else { throw StartError("\(file): expected `key: value` lines") }
        var values: [String: [String]] = [:]
        for (key, value) in mapping {
            guard let name = key.string, names.contains(name) else {
                throw StartError("\(file): unknown key '\(key.string ?? "")'; valid: \(names.joined(separator: ", "))")
            }
            guard let items = Self.items(of: value) else { throw StartError("\(file): \(name): expected a text") }
            values[name] = items
        }
        return values
    }

    private static func items(of node: Node) -> [String]? {
        switch node {
        case .scalar(let scalar): return [scalar.string]
        case .sequence(let items):
            let texts = items.compactMap(\.scalar?.string)
            return texts.count == items.count ? texts : nil
        case .mapping(let members):
            let texts = members.compactMap { key, value in key.scalar.flatMap { key in value.scalar.map { "\(key.string)=\($0.string)" } } }
            return texts.count == members.count ? texts : nil
        default: return nil
        }
    }
}
