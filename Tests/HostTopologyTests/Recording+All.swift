import ClusterModel

extension Recording {
    static let exports: [Recording] = [
        Recording(
            file: "dgx2-16v100.xml.gz",
            summary: summary("x86_64", "Intel(R) Xeon(R) Platinum 8174 CPU @ 3.10GHz", [2, 2, 2, 4, 4, 4, 28, 16]),
            devices: Devices(
                vendor: .init(repeating: "nvidia", count: 16), models: .init(repeating: "Tesla V100-SXM3-32GB-H", count: 16),
                memoryKiB: .init(repeating: 0, count: 16), nodes: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1],
                addresses: [
                    "0000:34:00.0", "0000:36:00.0", "0000:39:00.0", "0000:3b:00.0", "0000:57:00.0", "0000:59:00.0", "0000:5c:00.0",
                    "0000:5e:00.0", "0000:b7:00.0", "0000:b9:00.0", "0000:bc:00.0", "0000:be:00.0", "0000:e0:00.0", "0000:e2:00.0",
                    "0000:e5:00.0", "0000:e7:00.0",
                ])),
        Recording(
            file: "power8gpudistances.xml.gz",
            summary: summary("ppc64le", "POWER8NVL, altivec supported", [2, 2, 8, 0, 8, 16, 4, 12]),
            devices: Devices(
                vendor: .init(repeating: "nvidia", count: 4), models: .init(repeating: "Tesla P100-SXM2-16GB", count: 4),
                memoryKiB: .init(repeating: 16_671_616, count: 4), nodes: [0, 0, 1, 1],
                addresses: ["0002:01:00.0", "0003:01:00.0", "000a:01:00.0", "000b:01:00.0"])),
        Recording(
            // A machine put together for a test of hwloc: a K40m's CUDA device under an M2075's PCI function, and
            // a Radeon as its second function.
            file: "32em64t-2n8c2t-pci-wholeio.xml.gz",
            summary: summary("x86_64", "Intel(R) Xeon(R) CPU E5-2650 0 @ 2.00GHz", [2, 2, 2, 16, 16, 32, 11, 10]),
            devices: Devices(
                vendor: ["nvidia", "nvidia", "nvidia", "amd"],
                models: [
                    "Tesla M2075 Dual-Slot Computing Processor Module", "Tesla M2075 Dual-Slot Computing Processor Module", "Tesla K40m",
                    "AMD Radeon R9 200 / HD 7900 Series",
                ],
                memoryKiB: [0, 0, 11_796_032, 3_087_360], nodes: [0, 1, 1, 1],
                addresses: ["0000:03:00.0", "0000:83:00.0", "0000:84:00.0", "0000:84:00.1"])),
        Recording(
            file: "192em64t-24n8c2t.xml.gz",
            summary: summary("x86_64", "Intel(R) Xeon(R) CPU E5-4640 0 @ 2.40GHz", [24, 24, 24, 192, 192, 384, 12, 10])),
        Recording(
            file: "tioga-8mi250x.xml.gz",
            summary: summary("x86_64", "AMD EPYC 7A53 64-Core Processor", [1, 4, 8, 64, 64, 128, 29, 15]),
            devices: Devices(
                vendor: .init(repeating: "amd", count: 8),
                models: .init(repeating: "AMD INSTINCT MI200 (MCM) OAM LC MBA HPE C2", count: 8),
                memoryKiB: .init(repeating: 67_092_480, count: 8), nodes: [3, 3, 1, 1, 0, 0, 2, 2],
                addresses: [
                    "0000:c1:00.0", "0000:c6:00.0", "0000:c9:00.0", "0000:ce:00.0", "0000:d1:00.0", "0000:d6:00.0", "0000:d9:00.0",
                    "0000:de:00.0",
                ])),
        Recording(
            // NUMA nodes 0 and 8: operating-system indexes have gaps.
            file: "lassen-4v100-power9.xml.gz",
            summary: summary("ppc64le", "POWER9, altivec supported", [2, 2, 20, 20, 40, 160, 13, 19]),
            devices: Devices(
                vendor: .init(repeating: "nvidia", count: 4), models: .init(repeating: "Tesla V100-SXM2-16GB", count: 4),
                memoryKiB: .init(repeating: 16_515_072, count: 4), nodes: [0, 0, 8, 8],
                addresses: ["0004:04:00.0", "0004:05:00.0", "0035:03:00.0", "0035:04:00.0"])),
        Recording(
            file: "g4dn-8t4.xml.gz",
            summary: summary("x86_64", "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", [2, 2, 2, 48, 48, 96, 15, 29]),
            devices: Devices(
                vendor: .init(repeating: "nvidia", count: 8), models: .init(repeating: "Tesla T4", count: 8),
                memoryKiB: .init(repeating: 15_472_384, count: 8), nodes: [0, 0, 0, 0, 1, 1, 1, 1],
                addresses: [
                    "0000:18:00.0", "0000:19:00.0", "0000:35:00.0", "0000:36:00.0", "0000:e7:00.0", "0000:e8:00.0", "0000:f4:00.0",
                    "0000:f5:00.0",
                ])),
        Recording(
            // The name is as recorded: this release of ROCm cut the first letters off.
            file: "corona-8mi60.xml.gz",
            summary: summary("x86_64", "AMD EPYC 7402 24-Core Processor", [2, 2, 16, 48, 48, 96, 22, 23]),
            devices: Devices(
                vendor: .init(repeating: "amd", count: 8), models: .init(repeating: "deon Instinct MI50 32GB", count: 8),
                memoryKiB: .init(repeating: 33_538_048, count: 8), nodes: [0, 0, 0, 0, 1, 1, 1, 1],
                addresses: [
                    "0000:03:00.0", "0000:27:00.0", "0000:43:00.0", "0000:63:00.0", "0000:83:00.0", "0000:a3:00.0", "0000:c3:00.0",
                    "0000:e3:00.0",
                ])),
        Recording(
            file: "pascal-2p100.xml.gz",
            summary: summary("x86_64", "Intel(R) Xeon(R) CPU E5-2695 v4 @ 2.10GHz", [2, 2, 2, 36, 36, 72, 6, 11]),
            devices: Devices(
                vendor: ["nvidia", "nvidia"], models: ["Tesla P100-PCIE-16GB", "Tesla P100-PCIE-16GB"],
                memoryKiB: [16_671_616, 16_671_616], nodes: [0, 0], addresses: ["0000:04:00.0", "0000:07:00.0"])),
        Recording(
            // Two Hawaii cards with the kernel's driver only: nothing tells their names.
            file: "ulna-arm64.v1.xml.gz",
            summary: summary("aarch64", "", [2, 2, 2, 64, 64, 256, 11, 16]),
            devices: Devices(
                vendor: ["amd", "amd"], models: ["", ""], memoryKiB: [0, 0], nodes: [0, 1],
                addresses: ["0000:02:00.0", "0000:82:00.0"])),
    ]

    /// Packages, NUMA nodes, L3, L2, cores, processing units, PCI devices, OS devices.
    private static func summary(_ architecture: String, _ model: String, _ counts: [UInt32]) -> TopologySummary {
        TopologySummary(
            architecture: architecture, cpuModel: model, packages: counts[0], numaNodes: counts[1], level3Caches: counts[2],
            level2Caches: counts[3], cores: counts[4], processingUnits: counts[5], pciDevices: counts[6], osDevices: counts[7])
    }
}
