/// Accelerators of one task: whole devices, or slices of them.
public struct DeviceRequest: Hashable, Sendable {
    public var kind: DeviceKind
    /// Number of devices, at least 1, all on one node.
    public var count: UInt32
    /// Thousandths of each device, 1 … 1000; 1000 is whole and exclusive; 0 when only `memoryBytes` says how much
    /// (the share charged is then memory over the device's memory, rounded up).
    public var shareMilli: Int64
    /// Bytes of device memory of each device; 0 when only `shareMilli` says how much.
    public var memoryBytes: Int64
    /// A `GlobPattern` over device models, such as `*A100*|*H100*`; empty for any.
    public var modelPattern: String

    public init(kind: DeviceKind, count: UInt32, shareMilli: Int64 = 1000, memoryBytes: Int64 = 0, modelPattern: String = "") {
        self.kind = kind
        self.count = count
        self.shareMilli = shareMilli
        self.memoryBytes = memoryBytes
        self.modelPattern = modelPattern
    }

    public var isWhole: Bool { shareMilli == 1000 }
}

/// What one task needs on one node.
public struct ResourceRequest: Hashable, Sendable {
    public var cpuMilli: Int64
    public var memoryBytes: Int64
    public var devices: DeviceRequest?

    /// The defaults of the interface: 1 core, 1 GiB, no device.
    public init(cpuMilli: Int64 = 1000, memoryBytes: Int64 = 1 << 30, devices: DeviceRequest? = nil) {
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.devices = devices
    }
}

/// What an attempt holds of one device.
public struct DeviceGrant: Hashable, Sendable {
    public var index: UInt32
    public var shareMilli: Int64
    public var memoryBytes: Int64

    public init(index: UInt32, shareMilli: Int64, memoryBytes: Int64) {
        self.index = index
        self.shareMilli = shareMilli
        self.memoryBytes = memoryBytes
    }
}

/// What an attempt holds of one node.
public struct Allocation: Hashable, Sendable {
    public var cpuMilli: Int64
    public var memoryBytes: Int64
    /// Ascending device index.
    public var devices: [DeviceGrant]

    public init(cpuMilli: Int64, memoryBytes: Int64, devices: [DeviceGrant] = []) {
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.devices = devices
    }
}

/// A condition on a node: `gpu-model=H100`, `zone!=b`, `node=worker-1`, or a bare label that must be there.
public struct Constraint: Hashable, Sendable {
    public enum Operator: UInt8, CanonicalTag, Hashable {
        case present = 1
        case equals = 2
        case differs = 3
    }

    public static let forms = "LABEL, LABEL=VALUE, LABEL!=VALUE or node=NAME"

    public var key: String
    public var comparison: Operator
    public var value: String

    public init(key: String, comparison: Operator, value: String = "") {
        self.key = key
        self.comparison = comparison
        self.value = value
    }

    public init(parsing text: String) throws(QuantityError) {
        let comparison: Operator = text.contains("!=") ? .differs : text.contains("=") ? .equals : .present
        var key = Substring(text)
        var value = Substring()
        if comparison != .present, let sign = text.firstIndex(where: { $0 == "=" || $0 == "!" }) {
            key = text[..<sign]
            value = text[text.index(sign, offsetBy: comparison == .differs ? 2 : 1)...]
        }
        guard ObjectName.isValid(String(key)), comparison == .present || !value.isEmpty, value.utf8.count <= 253 else {
            throw QuantityError(text: text, expected: Self.forms)
        }
        self.init(key: String(key), comparison: comparison, value: String(value))
    }

    public var text: String {
        switch comparison {
        case .present: key
        case .equals: "\(key)=\(value)"
        case .differs: "\(key)!=\(value)"
        }
    }
}
