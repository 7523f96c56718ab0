// Where a node belongs. The join token says so, never the node's own agent.

/// Center, pool and labels that a join token gives to every node that enrols with it.
public struct NodeMembership: Hashable, Sendable {
    /// A site of the compute network; empty for none.
    public var center: String
    /// A set of nodes; empty for none.
    public var pool: String
    /// Sorted by name.
    public var labels: [NamedText]

    /// The labels by which constraints name center and pool. No agent may claim them.
    public static let centerLabel = "center"
    public static let poolLabel = "pool"
    public static let labelCountMax = 64

    public static let none = NodeMembership()

    public init(center: String = "", pool: String = "", labels: [NamedText] = []) {
        self.center = center
        self.pool = pool
        self.labels = labels.sorted { $0.name < $1.name }
    }

    /// What constraints see: the token's labels, center and pool, and of the agent's own those that they leave.
    public func labels(over claimed: [NamedText]) -> [NamedText] {
        var given = labels
        if !center.isEmpty { given.append(NamedText(Self.centerLabel, center)) }
        if !pool.isEmpty { given.append(NamedText(Self.poolLabel, pool)) }
        let reserved = Set(given.map(\.name)).union([Self.centerLabel, Self.poolLabel])
        return (given + claimed.filter { !reserved.contains($0.name) }).sorted { $0.name < $1.name }
    }

    /// Names that constraints resolve by themselves, so no label may bear them.
    private static let ownNames: Set<String> = [centerLabel, poolLabel, "node", "simulated"]

    public func validate() -> [FieldError] {
        var errors: [FieldError] = []
        for (field, name) in [("center", center), ("pool", pool)] where !name.isEmpty && !ObjectName.isValid(name) {
            errors.append(FieldError(field, "must match \(ObjectName.grammar)"))
        }
        if labels.count > Self.labelCountMax { errors.append(FieldError("labels", "must be at most \(Self.labelCountMax)")) }
        for label in labels where !ObjectName.isValid(label.name) || label.text.utf8.count > 253 {
            errors.append(FieldError("labels", "\(label.name): names match \(ObjectName.grammar), values have at most 253 bytes"))
        }
        for label in labels where Self.ownNames.contains(label.name) {
            errors.append(FieldError("labels", "\(label.name): has a meaning of its own; choose another name"))
        }
        for (label, next) in zip(labels, labels.dropFirst()) where label.name == next.name {
            errors.append(FieldError("labels", "\(label.name): is given twice"))
        }
        return errors
    }
}

extension NodeMembership: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(center)
        writer.write(pool)
        writer.write(labels)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(center: try reader.readString(), pool: try reader.readString(), labels: try reader.readList())
    }
}
