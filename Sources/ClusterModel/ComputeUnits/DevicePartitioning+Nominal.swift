// Partitions of the models of the table that ships with a release.

extension DevicePartitioning {
    /// Seven slices of multiprocessors over eight of memory. NVIDIA's tools list where each profile may lie; half the memory
    /// of a device comes with three slices or four.
    ///
    /// - Parameter eighth: gigabytes of an eighth of the memory, as NVIDIA writes them in the names of profiles.
    private static func multiInstance(_ gigabytes: (eighth: Int, quarter: Int, half: Int, whole: Int)) -> DevicePartitioning {
        func slices(_ count: Int64) -> Int64 { count * 1000 / 7 }
        return DevicePartitioning(
            slots: 8,
            templates: [
                DeviceTemplate(
                    name: "1g.\(gigabytes.eighth)gb", slots: 1, starts: [6, 5, 4, 3, 2, 1, 0], shareMilli: slices(1)),
                DeviceTemplate(name: "1g.\(gigabytes.quarter)gb", slots: 2, starts: [6, 4, 2, 0], shareMilli: slices(1)),
                DeviceTemplate(name: "2g.\(gigabytes.quarter)gb", slots: 2, starts: [4, 2, 0], shareMilli: slices(2)),
                DeviceTemplate(name: "3g.\(gigabytes.half)gb", slots: 4, starts: [4, 0], shareMilli: slices(3)),
                DeviceTemplate(name: "4g.\(gigabytes.half)gb", slots: 4, starts: [0], shareMilli: slices(4)),
                DeviceTemplate(name: "7g.\(gigabytes.whole)gb", slots: 8, starts: [0], shareMilli: 1000),
            ],
            source: "NVIDIA Multi-Instance GPU User Guide, supported profiles")
    }

    static let a100With40 = multiInstance((5, 10, 20, 40))
    static let a100With80 = multiInstance((10, 20, 40, 80))
    static let h100 = multiInstance((10, 20, 40, 80))
    static let h200 = multiInstance((18, 35, 71, 141))

    /// Cores in equal slots, a virtual device on any of them.
    private static func virtualNPU(slots: UInt32, _ templates: [(name: String, slots: UInt32)]) -> DevicePartitioning {
        DevicePartitioning(
            slots: slots,
            templates: templates.map {
                DeviceTemplate(name: $0.name, slots: $0.slots, shareMilli: Int64($0.slots) * 1000 / Int64(slots))
            },
            source: "Ascend virtual instance documentation, templates as device plug-ins configure them")
    }

    /// 30 cores, two a slot.
    static let ascend910A = virtualNPU(slots: 15, [("vir02", 1), ("vir04", 2), ("vir08", 4), ("vir16", 8)])
    /// 24 cores, three a slot.
    static let ascend910B2 = virtualNPU(slots: 8, [("vir03_1c_8g", 1), ("vir06_1c_16g", 2), ("vir12_3c_32g", 4)])
    /// 20 cores, five a slot.
    static let ascend910B4 = virtualNPU(slots: 4, [("vir05_1c_8g", 1), ("vir10_3c_16g", 2)])
    /// 8 cores.
    static let ascend310P3 = virtualNPU(slots: 8, [("vir01", 1), ("vir02", 2), ("vir04", 4)])
}
