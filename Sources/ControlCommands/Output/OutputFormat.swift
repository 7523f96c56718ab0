import ArgumentParser

/// `-o`. All but the first two are for programs and show the API's objects unchanged.
enum OutputFormat: String, CaseIterable, Sendable {
    case table, wide, json, yaml, jsonl, id
}

extension OutputFormat: ExpressibleByArgument {}

/// `-o` of verbs whose answer for people is an id.
enum ReceiptFormat: String, CaseIterable, Sendable, ExpressibleByArgument {
    case id, json, yaml, jsonl

    func text(of object: JSONValue) -> String {
        let format: OutputFormat =
            switch self {
            case .id: .id
            case .json: .json
            case .yaml: .yaml
            case .jsonl: .jsonl
            }
        return Detail(object: object, human: { _ in "" }).text(as: format)
    }
}

/// A list as the API gives it, and how people see it.
struct Listing {
    /// `{"items": […], "nextCursor": …}`.
    var page: JSONValue
    /// The member that `-o id` prints.
    var identifier = "id"
    var table: ([JSONValue]) -> Table

    func text(as format: OutputFormat, hasColour: Bool) -> String {
        let items = page["items"]?.items ?? []
        switch format {
        case .table, .wide: return table(items).text(isWide: format == .wide, hasColour: hasColour)
        case .json: return page.prettyText + "\n"
        case .yaml: return page.yamlText
        case .jsonl: return items.map { $0.compactText + "\n" }.joined()
        case .id:
            // Rows that differ in something else, such as what was simulated, may share their name.
            var names: [String] = []
            for name in items.map({ $0[identifier]?.scalarText ?? "" }) where name != names.last { names.append(name) }
            return names.map { $0 + "\n" }.joined()
        }
    }
}

/// One object as the API gives it, and how people see it.
struct Detail {
    var object: JSONValue
    var identifier = "id"
    var human: (JSONValue) -> String

    func text(as format: OutputFormat) -> String {
        switch format {
        case .table, .wide: human(object)
        case .json: object.prettyText + "\n"
        case .yaml: object.yamlText
        case .jsonl: object.compactText + "\n"
        case .id: (object[identifier]?.scalarText ?? "") + "\n"
        }
    }
}
