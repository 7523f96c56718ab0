// Where a node belongs. The join token says so, never the node's own agent.

/// A site of the compute network.
public struct Center: Hashable, Sendable {
    /// Grammar of `ObjectName`.
    public var id: String
    /// For people; empty where it has none.
    public var name: String
    public var province: String
    public var city: String
    /// Its nodes reach the internet.
    public var hasNetAccess: Bool

    public init(id: String, name: String = "", province: String = "", city: String = "", hasNetAccess: Bool = false) {
        self.id = id
        self.name = name
        self.province = province
        self.city = city
        self.hasNetAccess = hasNetAccess
    }

    /// Only its identifier is known.
    public var isBare: Bool { self == Center(id: id) }
}

/// Center, pool, labels and taints that a join token gives to every node that enrols with it.
public struct NodeMembership: Hashable, Sendable {
    public var center: Center?
    /// A set of nodes; empty for none.
    public var pool: String
    /// Sorted by name.
    public var labels: [NamedText]
    /// Labels that keep off all jobs whose constraints do not name them; sorted.
    public var taints: [String]

    /// The labels by which constraints name center and pool. No agent may claim them.
    public static let centerLabel = "center"
    public static let poolLabel = "pool"
    /// Of nodes in a center with network access; what `needsInternet` asks for.
    public static let internetLabel = "internet"
    /// The labels that say where in its center a node is.
    public static let rackLabel = "rack"
    public static let blockLabel = "block"
    public static let labelCountMax = 64
    public static let taintCountMax = 16

    public static let none = NodeMembership()

    public init(center: Center? = nil, pool: String = "", labels: [NamedText] = [], taints: [String] = []) {
        self.center = center
        self.pool = pool
        self.labels = labels.sorted { $0.name < $1.name }
        self.taints = taints.sorted()
    }

    /// What constraints see: the token's labels, center and pool, and of the agent's own those that they leave.
    public func labels(over claimed: [NamedText]) -> [NamedText] {
        var given = labels
        if let center { given.append(NamedText(Self.centerLabel, center.id)) }
        if !pool.isEmpty { given.append(NamedText(Self.poolLabel, pool)) }
        if center?.hasNetAccess == true { given.append(NamedText(Self.internetLabel, "true")) }
        let reserved = Set(given.map(\.name)).union(Self.ownNames)
        return (given + claimed.filter { !reserved.contains($0.name) }).sorted { $0.name < $1.name }
    }

    /// The token's taints and the agent's own: an agent may keep itself for some jobs, but not have a taint read as what a center
    /// or a token says.
    public func taints(over claimed: [String]) -> [String] {
        claimed.isEmpty ? taints : Set(claimed).subtracting(Self.ownNames).union(taints).sorted()
    }

    /// Of nodes in a pool that not all tenants may use: only a job that asks for this pool names it.
    public static func taint(ofPool pool: String) -> String { "\(poolLabel)=\(pool)" }

    public static func isTaintOfPool(_ taint: String) -> Bool { taint.hasPrefix("\(poolLabel)=") }

    /// Names that constraints resolve by themselves, so no label or taint may bear them.
    private static let ownNames: Set<String> = [centerLabel, poolLabel, internetLabel, "node", "simulated"]

    public func validate() -> [FieldError] {
        var errors: [FieldError] = []
        if let center { errors += Self.validate(center) }
        if !pool.isEmpty, !ObjectName.isValid(pool) { errors.append(FieldError("pool", "must match \(ObjectName.grammar)")) }
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
        if taints.count > Self.taintCountMax { errors.append(FieldError("taints", "must be at most \(Self.taintCountMax)")) }
        for taint in taints where !ObjectName.isValid(taint) || Self.ownNames.contains(taint) {
            errors.append(FieldError("taints", "'\(taint.prefix(80))' must match \(ObjectName.grammar) and have no meaning of its own"))
        }
        return errors
    }

    private static func validate(_ center: Center) -> [FieldError] {
        var errors: [FieldError] = []
        if !ObjectName.isValid(center.id) { errors.append(FieldError("center", "must match \(ObjectName.grammar)")) }
        for (field, text) in [("centerName", center.name), ("province", center.province), ("city", center.city)]
        where text.utf8.count > 253 || text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            errors.append(FieldError(field, "must have at most 253 bytes and no control characters"))
        }
        return errors
    }
}

extension Center: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        for text in [id, name, province, city] { writer.write(text) }
        writer.write(hasNetAccess)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            id: try reader.readString(), name: try reader.readString(), province: try reader.readString(), city: try reader.readString(),
            hasNetAccess: try reader.readBool())
    }
}

/// Form 1 begins with the center's identifier, or an empty text. A first text that no identifier can be names a later form;
/// what the first form can say is written in it.
extension NodeMembership: CanonicalValue {
    private static let secondForm = "-2"
    private var isFirstForm: Bool { taints.isEmpty && center?.isBare ?? true }

    public func write(to writer: inout CanonicalWriter) {
        if isFirstForm {
            writer.write(center?.id ?? "")
        } else {
            writer.write(Self.secondForm)
            writer.write(center)
        }
        writer.write(pool)
        writer.write(labels)
        if !isFirstForm { writer.write(taints) }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let start = try reader.readString()
        if start == Self.secondForm {
            self.init(
                center: try reader.readOptional(), pool: try reader.readString(), labels: try reader.readList(),
                taints: try reader.readList())
            guard !isFirstForm, center.map({ !$0.id.isEmpty }) ?? true else {
                throw .malformed("a membership in a form that is not its own")
            }
        } else {
            guard start.isEmpty || ObjectName.isValid(start) else { throw .malformed("unknown form '\(start.prefix(8))' of a membership") }
            self.init(
                center: start.isEmpty ? nil : Center(id: start), pool: try reader.readString(), labels: try reader.readList())
        }
    }
}
