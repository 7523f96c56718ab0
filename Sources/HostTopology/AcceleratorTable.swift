// Which PCI functions are accelerators. Identifiers are those of the PCI ID repository (pci.ids) unless a line
// names another source; classes are those of the PCI Code and ID Assignment Specification.
//
// Not accelerators though they are display devices: a server's console graphics (ASPEED 1a03, Matrox 102b,
// Huawei's iBMC 19e5:1711, ATI's Rage XL and ES1000) and graphics inside a processor. NVSwitches (0680), audio
// (0403) and USB (0c03) functions of a card are told apart by their class.

import ClusterModel

/// The maker and kind of an accelerator.
struct AcceleratorIdentity: Hashable, Sendable {
    var vendor: String
    var kind: DeviceKind
}

enum PCIClass {
    static let base: UInt16 = 0xff00
    static let display: UInt16 = 0x0300
    static let coprocessor: UInt16 = 0x0b40
    static let processingAccelerator: UInt16 = 0x1200
}

enum AcceleratorTable {
    /// What a PCI function is to the scheduler; nil for everything that is not an accelerator.
    static func identity(of pci: PCIIdentity) -> AcceleratorIdentity? {
        let isDisplay = pci.classID & PCIClass.base == PCIClass.display
        let isAccelerator = pci.classID & PCIClass.base == PCIClass.processingAccelerator
        switch pci.vendorID {
        case 0x10de:
            return isDisplay && !nvidiaBeforeCUDA(pci.deviceID) ? AcceleratorIdentity(vendor: "nvidia", kind: .gpu) : nil
        case 0x1002:
            guard isAccelerator || (isDisplay && !amdWithoutCompute(pci.deviceID)) else { return nil }
            return AcceleratorIdentity(vendor: "amd", kind: .gpu)
        case 0x8086:
            return intel(pci, isDisplay: isDisplay, isAccelerator: isAccelerator)
        case 0x19e5:
            // Ascend 310, 310P, 910, 910B, 910C; known by number too, since early firmware reports another class.
            let isAscend = [0xd100, 0xd500, 0xd801, 0xd802, 0xd803].contains(pci.deviceID)
            return isAscend || isAccelerator ? AcceleratorIdentity(vendor: "huawei", kind: .npu) : nil
        case 0x1d0f:
            // NeuronDevices report the class of a system peripheral (AWS Neuron driver, neuron_device.h).
            let isNeuron = [0x7064, 0x7065, 0x7066, 0x7067, 0x7164, 0x7264, 0x7364].contains(pci.deviceID)
            return isNeuron ? AcceleratorIdentity(vendor: "aws", kind: .npu) : nil
        case 0x1ae0:
            // TPU v2/v3, v4, v5p, v5e, v6e, v7 (JAX, hardware_utils.py).
            let isTPU = [0x0027, 0x005e, 0x0062, 0x0063, 0x006f, 0x0076].contains(pci.deviceID)
            return isTPU ? AcceleratorIdentity(vendor: "google", kind: .npu) : nil
        default:
            guard let maker = makersOfAcceleratorsOnly[pci.vendorID],
                isAccelerator || isDisplay || pci.classID == PCIClass.coprocessor
            else { return nil }
            return maker
        }
    }

    /// Makers whose display, co-processor and accelerator functions are all meant for computing.
    private static let makersOfAcceleratorsOnly: [UInt16: AcceleratorIdentity] = [
        0x1bcf: AcceleratorIdentity(vendor: "nec", kind: .other),  // vector engines
        0xcabc: AcceleratorIdentity(vendor: "cambricon", kind: .npu),
        0x1d94: AcceleratorIdentity(vendor: "hygon", kind: .gpu),
        0x1ed5: AcceleratorIdentity(vendor: "mthreads", kind: .gpu),
        0x9999: AcceleratorIdentity(vendor: "metax", kind: .gpu),  // MetaX's own tools; not in pci.ids
        0x1e3e: AcceleratorIdentity(vendor: "iluvatar", kind: .gpu),  // Iluvatar's own tools; not in pci.ids
        0x1e36: AcceleratorIdentity(vendor: "enflame", kind: .npu),
        0x1d22: AcceleratorIdentity(vendor: "kunlunxin", kind: .npu),
        0x1da3: AcceleratorIdentity(vendor: "habana", kind: .npu),
        0x1d95: AcceleratorIdentity(vendor: "graphcore", kind: .npu),
        0x1ed2: AcceleratorIdentity(vendor: "furiosa", kind: .npu),
    ]

    /// Intel graphics count when they are a card of their own; accelerator functions always do (FPGA cards,
    /// and the neural unit of a client processor, which is an NPU).
    private static func intel(_ pci: PCIIdentity, isDisplay: Bool, isAccelerator: Bool) -> AcceleratorIdentity? {
        if isDisplay {
            let discrete: [ClosedRange<UInt16>] = [
                0x0b69...0x0b6e, 0x0bd0...0x0bdb,  // Data Center GPU Max (Ponte Vecchio)
                0x4905...0x4909,  // DG1, SG1
                0x4f80...0x4f88, 0x5690...0x56bf,  // DG2: Arc A
                0x56c0...0x56c2,  // Data Center GPU Flex
                0xe202...0xe223,  // Battlemage: Arc B
            ]
            return discrete.contains { $0.contains(pci.deviceID) } ? AcceleratorIdentity(vendor: "intel", kind: .gpu) : nil
        }
        if isAccelerator {
            let neural: [UInt16] = [0x7d1d, 0xad1d, 0x643e, 0xb03e]  // Meteor, Arrow, Lunar and Panther Lake
            return AcceleratorIdentity(vendor: "intel", kind: neural.contains(pci.deviceID) ? .npu : .other)
        }
        // Xeon Phi cards. QuickAssist shares their class and is not for jobs.
        let isXeonPhi = pci.classID == PCIClass.coprocessor && (0x2250...0x2270).contains(pci.deviceID)
        return isXeonPhi ? AcceleratorIdentity(vendor: "intel", kind: .other) : nil
    }

    /// Everything older than G80 (0190 … 019f), the first chip with CUDA; such chips served as console graphics.
    private static func nvidiaBeforeCUDA(_ deviceID: UInt16) -> Bool {
        deviceID < 0x0400 && !(0x0190...0x019f).contains(deviceID)
    }

    /// Chips before unified shaders (Rage to R500; Rage XL 4752 and ES1000 515e are console graphics of servers)
    /// and graphics inside a processor, which share the machine's memory.
    private static func amdWithoutCompute(_ deviceID: UInt16) -> Bool {
        let ranges: [ClosedRange<UInt16>] = [
            0x3000...0x5fff, 0x7100...0x72ff, 0x7800...0x7bff,
            0x1300...0x16ff, 0x9600...0x99ff,
        ]
        return ranges.contains { $0.contains(deviceID) }
    }
}
