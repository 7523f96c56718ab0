// What a device is worth in compute units.
//
// 1 CU is 1 TFLOPS of dense FP16 (or BF16) on one device, without sparsity, as its maker states it: nominal, so
// that two nodes with the same card count the same. Amounts are whole milli-CU. Makers' headline figures often
// assume 2:4 sparsity; those are halved here.

/// A model of accelerator and its nominal strength.
public struct DeviceModel: Hashable, Sendable {
    /// The name to show; unique in a table.
    public var name: String
    public var vendor: String
    public var kind: DeviceKind
    /// Over `Device.model`, as the drivers and the PCI ID repository spell it.
    public var pattern: GlobPattern
    /// Dense FP16 or BF16 in milli-CU, that is GFLOPS.
    public var computeUnitsMilli: Int64
    /// As sold; a driver reports a little less, having taken its own share.
    public var memoryBytes: Int64
    /// The publication the figure is from.
    public var source: String
    /// Whether the figure was compared with its source, or at least two independent tables. What is not confirmed
    /// is shown but never prices.
    public var isConfirmed: Bool
    /// nil: it is not known to be divided into partitions.
    public var partitioning: DevicePartitioning?

    public init(
        name: String, vendor: String, kind: DeviceKind, pattern: String, computeUnitsMilli: Int64, memoryBytes: Int64, source: String,
        isConfirmed: Bool, partitioning: DevicePartitioning? = nil
    ) {
        self.name = name
        self.vendor = vendor
        self.kind = kind
        self.pattern = GlobPattern(pattern)
        self.computeUnitsMilli = computeUnitsMilli
        self.memoryBytes = memoryBytes
        self.source = source
        self.isConfirmed = isConfirmed
        self.partitioning = partitioning
    }
}

/// Device models in order of preference: the first row that fits a device is its model.
///
/// Usage that was priced names the table's version. A row is never changed under the same version, so that an
/// old bill can be worked out again.
public struct DeviceModelTable: Hashable, Sendable {
    public var version: UInt32
    public var rows: [DeviceModel]

    public init(version: UInt32, rows: [DeviceModel]) {
        self.version = version
        self.rows = rows
    }

    /// The device's model; nil for one the table does not know.
    public func lookup(device: Device) -> DeviceModel? {
        rows.first { row in row.vendor == device.vendor && row.kind == device.kind && row.pattern.matches(device.model) }
    }

    /// What the device prices at, in milli-CU; nil when its model is unknown or not confirmed.
    public func pricedComputeUnitsMilli(of device: Device) -> Int64? {
        guard let model = lookup(device: device), model.isConfirmed else { return nil }
        return model.computeUnitsMilli
    }

    /// What is wrong with a table an administrator supplies; empty when it is acceptable.
    public func validate() -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        if version == 0 { errors.append(FieldError("version", "must be at least 1")) }
        for (position, row) in rows.enumerated() {
            if row.name.isEmpty || !names.insert(row.name).inserted {
                errors.append(FieldError("rows[\(position)].name", "must be unique and not empty"))
            }
            if !(1...1_000_000_000).contains(row.computeUnitsMilli) {
                errors.append(FieldError("rows[\(position)].computeUnitsMilli", "must be 1 … 1000000000"))
            }
            if !(0...(1 << 50)).contains(row.memoryBytes) {
                errors.append(FieldError("rows[\(position)].memoryBytes", "must be 0 … 2^50"))
            }
            if let partitioning = row.partitioning {
                errors += partitioning.validate().map { FieldError("rows[\(position)].partitioning.\($0.field)", $0.message) }
            }
            if row.isConfirmed, row.source.isEmpty {
                errors.append(FieldError("rows[\(position)].source", "must name the publication of a confirmed figure"))
            }
        }
        return errors
    }
}

/// Compute units of what is not a whole device.
public enum ComputeUnits {
    /// A share of a device, rounded down to a whole milli-CU; `shareMilli` is 0 … 1000.
    public static func sliceMilli(ofDevice computeUnitsMilli: Int64, shareMilli: Int64) -> Int64 {
        precondition(computeUnitsMilli >= 0 && (0...1000).contains(shareMilli), "device \(computeUnitsMilli), share \(shareMilli)")
        // Whole thousands apart, so that the product cannot overflow.
        return computeUnitsMilli / 1000 * shareMilli + computeUnitsMilli % 1000 * shareMilli / 1000
    }

    /// The nominal FP32 strength of processor cores in milli-CU, rounded down.
    ///
    /// Its basis is FP32, since processors have no comparable FP16 peak: shown beside the units of devices, never
    /// added to them.
    ///
    /// - Parameters:
    ///   - clockMegahertz: the clock all cores keep under vector load; the inventory does not carry one.
    ///   - operationsPerCycle: FP32 operations per core and cycle, a fused multiply-add being two: 32 with two 256-bit
    ///     units, 64 with two 512-bit ones.
    /// - Returns: nil for figures that no processor has.
    public static func processorMilli(cores: Int64, clockMegahertz: Int64, operationsPerCycle: Int64) -> Int64? {
        guard (1...1_000_000).contains(cores), (1...100_000).contains(clockMegahertz), (1...100_000).contains(operationsPerCycle) else {
            return nil
        }
        // Megahertz times operations is MFLOPS, a milli-CU is a GFLOPS. The bounds keep the product at 10^16 or less.
        return clockMegahertz * operationsPerCycle * cores / 1000
    }
}
