// PCI addresses and identities, as values.

/// Where a function sits on the PCI bus. The order is that of devices on a node.
struct PCIAddress: Hashable, Comparable, CustomStringConvertible {
    var domain: UInt32
    var bus: UInt8
    var device: UInt8
    var function: UInt8

    init(domain: UInt32, bus: UInt8, device: UInt8, function: UInt8) {
        self.domain = domain
        self.bus = bus
        self.device = device
        self.function = function
    }

    /// `domain:bus:device.function` in hexadecimal of either case. NVML writes eight digits of domain, Linux four.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let tail = parts[2].split(separator: ".", omittingEmptySubsequences: false)
        guard tail.count == 2,
            let domain = UInt32(parts[0], radix: 16), let bus = UInt8(parts[1], radix: 16),
            let device = UInt8(tail[0], radix: 16), device < 32, let function = UInt8(tail[1], radix: 16), function < 8
        else { return nil }
        self.init(domain: domain, bus: bus, device: device, function: function)
    }

    /// As Linux writes it, in lower case.
    var description: String {
        "\(hexadecimal(domain, digits: 4)):\(hexadecimal(bus, digits: 2)):\(hexadecimal(device, digits: 2)).\(function)"
    }

    static func < (left: PCIAddress, right: PCIAddress) -> Bool {
        (left.domain, left.bus, left.device, left.function) < (right.domain, right.bus, right.device, right.function)
    }
}

func hexadecimal(_ value: some BinaryInteger, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}

/// What the configuration space of a PCI function says about it.
struct PCIIdentity: Hashable {
    var address: PCIAddress
    var vendorID: UInt16
    var deviceID: UInt16
    /// Base class in the upper byte, subclass in the lower.
    var classID: UInt16
}
