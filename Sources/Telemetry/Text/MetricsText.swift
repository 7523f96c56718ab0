/// Metrics in OpenMetrics 1.0 text, written family after family in one pass.
public struct MetricsText {
    public static let contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    public typealias Label = (name: StaticString, value: String)

    private var bytes: [UInt8] = []
    private var names: Set<String> = []

    public init(capacity: Int = 64 << 10) { bytes.reserveCapacity(capacity) }

    /// One family with all its samples: the standard wants them together. It is named even where it has no sample, so that
    /// whoever reads knows it exists.
    public mutating func family(_ family: MetricFamily, _ body: (inout Samples) -> Void) {
        precondition(names.insert(family.name).inserted, "\(family.name) is written twice")
        append("# TYPE \(family.name) \(family.kind.rawValue)\n")
        if let unit = family.unit { append("# UNIT \(family.name) \(unit.rawValue)\n") }
        append("# HELP \(family.name) ")
        appendEscaped(family.help)
        append("\n")
        var samples = Samples(family: family, bytes: bytes)
        bytes = []
        body(&samples)
        bytes = samples.bytes
    }

    /// One family of one sample without labels.
    public mutating func family(_ family: MetricFamily, _ value: some BinaryInteger) { self.family(family) { $0.add(value) } }
    public mutating func family(_ family: MetricFamily, _ value: Double) { self.family(family) { $0.add(value) } }
    public mutating func family(_ family: MetricFamily, _ counter: Counter) { self.family(family) { $0.add(counter.total) } }
    public mutating func family(_ family: MetricFamily, _ histogram: Histogram) { self.family(family) { $0.add(histogram) } }

    /// The whole text; nothing can follow.
    public consuming func finish() -> [UInt8] {
        append("# EOF\n")
        return bytes
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
    private mutating func appendEscaped(_ text: String) { for byte in text.utf8 { bytes.append(escaped: byte) } }

    /// The samples of one family.
    public struct Samples {
        fileprivate let family: MetricFamily
        fileprivate var bytes: [UInt8]

        public mutating func add(_ value: some BinaryInteger, _ labels: Label...) {
            begin(suffix, labels)
            append("\(value)\n")
        }

        public mutating func add(_ value: Double, _ labels: Label...) {
            begin(suffix, labels)
            append(Self.text(of: value) + "\n")
        }

        public mutating func add(_ histogram: Histogram, _ labels: Label...) {
            let (cumulative, sum) = histogram.standing
            for (index, count) in cumulative.enumerated() {
                let bound = index < histogram.bounds.count ? Double(histogram.bounds[index]) / histogram.scale : .infinity
                begin("_bucket", labels + [("le", Self.text(of: bound))])
                append("\(count)\n")
            }
            begin("_count", labels)
            append("\(cumulative.last ?? 0)\n")
            begin("_sum", labels)
            append(Self.text(of: sum) + "\n")
        }

        private var suffix: StaticString {
            switch family.kind {
            case .counter: "_total"
            case .info: "_info"
            case .gauge, .histogram: ""
            }
        }

        private mutating func begin(_ suffix: StaticString, _ labels: [Label]) {
            append(family.name)
            append(suffix)
            if !labels.isEmpty {
                bytes.append(UInt8(ascii: "{"))
                for (index, label) in labels.enumerated() {
                    if index > 0 { bytes.append(UInt8(ascii: ",")) }
                    append(label.name)
                    append("=\"")
                    for byte in label.value.utf8 { bytes.append(escaped: byte) }
                    bytes.append(UInt8(ascii: "\""))
                }
                bytes.append(UInt8(ascii: "}"))
            }
            bytes.append(UInt8(ascii: " "))
        }

        private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

        private mutating func append(_ text: StaticString) {
            text.withUTF8Buffer { bytes.append(contentsOf: $0) }
        }

        /// As the standard spells numbers; the same value always reads the same, also as the bound of a bucket.
        private static func text(of value: Double) -> String {
            if value.isNaN { return "NaN" }
            if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
            return value.description
        }
    }
}

extension [UInt8] {
    /// A byte of a label's value or of a help text.
    fileprivate mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\\"): append(contentsOf: #"\\"#.utf8)
        case UInt8(ascii: "\""): append(contentsOf: #"\""#.utf8)
        case UInt8(ascii: "\n"): append(contentsOf: #"\n"#.utf8)
        default: append(byte)
        }
    }
}
