// Amounts of what is shared: cores, memory, devices, strength.

public import ClusterModel
import Placement

/// What is shared by amount.
public enum RoomKind: Int, CaseIterable, Sendable {
    case cpu, memory, devices, computeUnits

    /// As fields and options call it.
    public var name: String {
        switch self {
        case .cpu: "cpu"
        case .memory: "memory"
        case .devices: "devices"
        case .computeUnits: "computeUnits"
        }
    }

    /// Such as "4 cores" or "2.5 devices".
    public func text(_ amount: Int64) -> String {
        switch self {
        case .cpu: AmountText.cores(amount)
        case .memory: AmountText.memory(amount)
        case .devices: "\(AmountText.computeUnits(amount)) device\(amount == 1000 ? "" : "s")"
        case .computeUnits: "\(AmountText.computeUnits(amount)) compute units"
        }
    }
}

/// What somebody holds, in thousandths of cores, bytes, thousandths of devices, and thousandths of compute units.
public struct RoomAmounts: Hashable, Sendable {
    var values: SIMD4<Int64>

    static let zero = RoomAmounts()

    init(values: SIMD4<Int64>) { self.values = values }

    public init(cpuMilli: Int64 = 0, memoryBytes: Int64 = 0, deviceMilli: Int64 = 0, computeUnitsMilli: Int64 = 0) {
        values = SIMD4(cpuMilli, memoryBytes, deviceMilli, computeUnitsMilli)
    }

    /// - Parameter strengths: what each device of the node prices at, in milli-CU.
    init(of allocation: Allocation, strengths: [Int64]) {
        self.init(cpuMilli: allocation.cpuMilli, memoryBytes: allocation.memoryBytes)
        for grant in allocation.devices {
            values[RoomKind.devices.rawValue] += grant.shareMilli
            let strength = Int(grant.index) < strengths.count ? strengths[Int(grant.index)] : 0
            values[RoomKind.computeUnits.rawValue] += strength * grant.shareMilli / 1000
        }
    }

    public subscript(kind: RoomKind) -> Int64 { values[kind.rawValue] }

    static func + (left: Self, right: Self) -> Self { Self(values: left.values &+ right.values) }
    static func - (left: Self, right: Self) -> Self { Self(values: left.values &- right.values) }
    static func += (left: inout Self, right: Self) { left.values &+= right.values }
    static func * (left: Self, right: Int64) -> Self { Self(values: left.values &* SIMD4(repeating: right)) }

    /// At most what is taken for an amount anywhere: sums of a few never overflow.
    var bounded: Self { Self(values: values.clamped(lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: RoomBounds.amountMax))) }

    /// So many times as much, and no more than an amount can be.
    func times(_ count: Int64) -> Self {
        var product = self
        for kind in RoomKind.allCases {
            let (value, overflow) = self[kind].multipliedReportingOverflow(by: count)
            product.values[kind.rawValue] = overflow ? RoomBounds.amountMax : min(value, RoomBounds.amountMax)
        }
        return product
    }

    /// The larger of each.
    func maximum(_ other: Self) -> Self { Self(values: values.replacing(with: other.values, where: values .< other.values)) }

    /// The first kind of which this is more.
    func firstExcess(over most: Self) -> RoomKind? {
        let isMore = values .> most.values
        return RoomKind.allCases.first { isMore[$0.rawValue] }
    }

    /// The largest part that it is of a whole; 0 of nothing.
    func dominantShare(of whole: Self) -> Double { SIMD4<Double>(values).dominantShare(of: whole) }
}

extension SIMD4<Double> {
    func dominantShare(of whole: RoomAmounts) -> Double {
        var most = 0.0
        for kind in RoomKind.allCases where whole[kind] > 0 { most = Swift.max(most, self[kind.rawValue] / Double(whole[kind])) }
        return most
    }
}

/// Amounts of some kinds; nothing is said of the others.
public struct RoomBounds: Hashable, Sendable {
    public var cpuMilli: Int64?
    public var memoryBytes: Int64?
    public var deviceMilli: Int64?
    public var computeUnitsMilli: Int64?

    public init(cpuMilli: Int64? = nil, memoryBytes: Int64? = nil, deviceMilli: Int64? = nil, computeUnitsMilli: Int64? = nil) {
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.deviceMilli = deviceMilli
        self.computeUnitsMilli = computeUnitsMilli
    }

    public var isEmpty: Bool { self == RoomBounds() }

    public subscript(kind: RoomKind) -> Int64? {
        switch kind {
        case .cpu: cpuMilli
        case .memory: memoryBytes
        case .devices: deviceMilli
        case .computeUnits: computeUnitsMilli
        }
    }

    /// Nothing of what is not said.
    var leastAmounts: RoomAmounts { amounts(unsaid: 0) }
    /// Anything of what is not said.
    var mostAmounts: RoomAmounts { amounts(unsaid: .max) }

    private func amounts(unsaid: Int64) -> RoomAmounts {
        RoomAmounts(
            cpuMilli: cpuMilli ?? unsaid, memoryBytes: memoryBytes ?? unsaid, deviceMilli: deviceMilli ?? unsaid,
            computeUnitsMilli: computeUnitsMilli ?? unsaid)
    }

    /// Largest amount that is taken for one: sums of many stay within 64 bits.
    static let amountMax: Int64 = 1 << 56

    func validate(_ field: String) -> [FieldError] {
        RoomKind.allCases.compactMap { kind in
            guard let amount = self[kind], !(0...Self.amountMax).contains(amount) else { return nil }
            return FieldError("\(field).\(kind.name)", "must be 0 … 2^56")
        }
    }
}

extension RoomBounds: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        for kind in RoomKind.allCases { writer.write(self[kind]) }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            cpuMilli: try reader.readOptional(), memoryBytes: try reader.readOptional(), deviceMilli: try reader.readOptional(),
            computeUnitsMilli: try reader.readOptional())
    }
}
