// How a device is divided into partitions that do not disturb each other: NVIDIA's multi-instance GPU (MIG), Huawei's
// virtual NPUs (vNPU).
//
// A device has a number of equal slots of memory; a partition takes some of them, side by side where the maker says so.

/// A partition that a model offers.
public struct DeviceTemplate: Hashable, Sendable {
    /// As the maker's tools spell it; unique in a model.
    public var name: String
    /// Slots that it takes.
    public var slots: UInt32
    /// First slots at which it may lie, in the order in which they are tried; empty: any slots will do.
    public var starts: [UInt32]
    /// Thousandths of the device's strength, rounded down: what it is charged at.
    public var shareMilli: Int64

    public init(name: String, slots: UInt32, starts: [UInt32] = [], shareMilli: Int64) {
        self.name = name
        self.slots = slots
        self.starts = starts
        self.shareMilli = shareMilli
    }

    /// The slots that it would take of a device on which those of `taken` are; nil where it finds no place.
    public func place(beside taken: UInt64, of total: UInt32) -> UInt64? {
        guard !starts.isEmpty else {
            let free = (0..<total).filter { taken & (1 << UInt64($0)) == 0 }.prefix(Int(slots))
            return free.count == Int(slots) ? free.reduce(0) { $0 | 1 << UInt64($1) } : nil
        }
        let width = (UInt64(1) << UInt64(slots)) - 1
        return starts.lazy.map { width << UInt64($0) }.first { $0 & taken == 0 }
    }
}

/// The partitions of a model.
public struct DevicePartitioning: Hashable, Sendable {
    /// Equal parts of the device's memory, at most 63.
    public var slots: UInt32
    public var templates: [DeviceTemplate]
    /// The publication the templates are from.
    public var source: String

    public init(slots: UInt32, templates: [DeviceTemplate], source: String) {
        self.slots = slots
        self.templates = templates
        self.source = source
    }

    /// Bytes of the device's memory that the template comes with.
    public func memoryBytes(of template: DeviceTemplate, on device: Device) -> Int64 {
        device.memoryBytes / Int64(slots) * Int64(template.slots)
    }

    func validate() -> [FieldError] {
        var errors: [FieldError] = []
        if !(1...63).contains(slots) { errors.append(FieldError("slots", "must be 1 … 63")) }
        if Set(templates.map(\.name)).count != templates.count { errors.append(FieldError("templates", "names must differ")) }
        for template in templates {
            let isInside = template.starts.allSatisfy { UInt64($0) + UInt64(template.slots) <= UInt64(slots) }
            if !(1...max(slots, 1)).contains(template.slots) || !isInside || !(1...1000).contains(template.shareMilli) {
                errors.append(FieldError("templates", "\(template.name): must lie on the device and be 1 … 1000 thousandths of it"))
            }
        }
        if source.isEmpty { errors.append(FieldError("source", "must name the publication of the templates")) }
        return errors
    }
}
