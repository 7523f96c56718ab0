/// A metric as Protocols/metrics.md describes it. Its labels are bounded sets; no name of a tenant, user or job is ever one.
public struct MetricFamily: Hashable, Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram, info }
    public enum Unit: String, Sendable { case seconds, bytes, cores }

    /// Without the suffixes that samples add (`_total`, `_bucket`, `_info`); ends in its unit.
    public let name: String
    public let kind: Kind
    public let unit: Unit?
    public let help: String

    public init(_ kind: Kind, _ name: String, unit: Unit? = nil, help: String) {
        precondition(unit.map { name.hasSuffix("_\($0.rawValue)") } ?? true, "\(name) does not end in its unit")
        precondition(kind != .counter || !name.hasSuffix("_total"), "\(name): the text adds _total by itself")
        self.kind = kind
        self.name = name
        self.unit = unit
        self.help = help
    }
}
