/// A tag that people and programs see by name: the case's own, in the spelling of the interface (`node_lost` for `nodeLost`).
public protocol NamedTag: CanonicalTag, CaseIterable, Hashable, Sendable {
    /// Stored, for asking the runtime what a case is called takes microseconds.
    static var names: TagNames<Self> { get }
}

/// The names of all cases of a tag.
public struct TagNames<Tag: NamedTag>: Sendable {
    /// By raw value.
    private var texts: [String] = []

    /// `exceptions`: names that are not their cases' own.
    public init(except exceptions: [Tag: String] = [:]) {
        for tag in Tag.allCases {
            while texts.count <= Int(tag.rawValue) { texts.append("") }
            texts[Int(tag.rawValue)] = exceptions[tag] ?? Self.spelling(of: "\(tag)")
        }
    }

    fileprivate subscript(_ tag: Tag) -> String { texts[Int(tag.rawValue)] }

    private static func spelling(of name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
    }
}

extension NamedTag {
    public var name: String { Self.names[self] }

    /// The case of that name; nil for any other text, the empty one included.
    public init?(name: String) {
        guard !name.isEmpty, let tag = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = tag
    }
}
