// The table that ships with a release. Any change of a row raises the version.
//
// Patterns cover NVML's names ("NVIDIA H100 80GB HBM3", "Tesla V100-SXM2-16GB") and those of the PCI ID repository
// ("H100 SXM5 80GB"). A name that leaves open which card it is matches nothing: no price is better than a wrong one.

extension DeviceModelTable {
    public static let nominal = DeviceModelTable(version: 2, rows: nvidia + amd + huawei + cambricon)

    private static let gibibyte: Int64 = 1 << 30

    private static let nvidia = [
        // The V100-SXM3-32GB-H of a DGX-2H runs faster than the others and has no row.
        DeviceModel(
            name: "NVIDIA V100 SXM", vendor: "nvidia", kind: .gpu,
            pattern: "*V100-SXM2-16GB|*V100-SXM2-32GB|*V100-SXM3-32GB|*V100 SXM2 16GB|*V100 SXM2 32GB|*V100 SXM3 32GB",
            computeUnitsMilli: 125_000, memoryBytes: 16 * gibibyte, source: "NVIDIA V100 Tensor Core GPU datasheet", isConfirmed: true),
        DeviceModel(
            name: "NVIDIA V100 PCIe", vendor: "nvidia", kind: .gpu,
            pattern: "*V100-PCIE-16GB|*V100-PCIE-32GB|*V100 PCIe 16GB|*V100 PCIe 32GB",
            computeUnitsMilli: 112_000, memoryBytes: 16 * gibibyte, source: "NVIDIA V100 Tensor Core GPU datasheet", isConfirmed: true),
        DeviceModel(
            name: "NVIDIA T4", vendor: "nvidia", kind: .gpu, pattern: "Tesla T4|NVIDIA T4|T4",
            computeUnitsMilli: 65_000, memoryBytes: 16 * gibibyte, source: "NVIDIA T4 Tensor Core GPU datasheet", isConfirmed: true),
        // Public tables disagree: 125 there is the A10's figure, the A10G is also stated at 70.
        DeviceModel(
            name: "NVIDIA A10G", vendor: "nvidia", kind: .gpu, pattern: "NVIDIA A10G|A10G",
            computeUnitsMilli: 125_000, memoryBytes: 24 * gibibyte, source: "public tables, in disagreement", isConfirmed: false),
        DeviceModel(
            name: "NVIDIA A100 40GB", vendor: "nvidia", kind: .gpu,
            pattern: "*A100-SXM4-40GB|*A100-PCIE-40GB|A100 SXM4 40GB|A100 PCIe 40GB",
            computeUnitsMilli: 312_000, memoryBytes: 40 * gibibyte, source: "NVIDIA A100 Tensor Core GPU datasheet", isConfirmed: true,
            partitioning: .a100With40),
        DeviceModel(
            name: "NVIDIA A100 80GB", vendor: "nvidia", kind: .gpu,
            pattern: "*A100-SXM4-80GB|NVIDIA A100 80GB PCIe|A100 SXM4 80GB|A100 PCIe 80GB",
            computeUnitsMilli: 312_000, memoryBytes: 80 * gibibyte, source: "NVIDIA A100 Tensor Core GPU datasheet", isConfirmed: true,
            partitioning: .a100With80),
        DeviceModel(
            name: "NVIDIA H100 PCIe", vendor: "nvidia", kind: .gpu, pattern: "NVIDIA H100 PCIe|H100 PCIe",
            computeUnitsMilli: 756_500, memoryBytes: 80 * gibibyte, source: "NVIDIA H100 Tensor Core GPU datasheet", isConfirmed: true,
            partitioning: .h100),
        DeviceModel(
            name: "NVIDIA H100 SXM", vendor: "nvidia", kind: .gpu, pattern: "NVIDIA H100 80GB HBM3|H100 SXM5 80GB",
            computeUnitsMilli: 989_500, memoryBytes: 80 * gibibyte, source: "NVIDIA H100 Tensor Core GPU datasheet", isConfirmed: true,
            partitioning: .h100),
        DeviceModel(
            name: "NVIDIA H200 SXM", vendor: "nvidia", kind: .gpu, pattern: "NVIDIA H200|H200 SXM 141GB",
            computeUnitsMilli: 989_000, memoryBytes: 141 * gibibyte, source: "NVIDIA H200 Tensor Core GPU datasheet", isConfirmed: true,
            partitioning: .h200),
    ]

    private static let amd = [
        DeviceModel(
            name: "AMD Instinct MI300X", vendor: "amd", kind: .gpu, pattern: "*MI300X|*MI300X OAM",
            computeUnitsMilli: 1_307_000, memoryBytes: 192 * gibibyte, source: "AMD Instinct MI300X Accelerator data sheet",
            isConfirmed: true)
    ]

    // Huawei and Cambricon publish peaks of the series; which bin has which is reported by third parties only.
    private static let huawei = [
        DeviceModel(
            name: "Ascend 910A", vendor: "huawei", kind: .npu, pattern: "910A|Ascend 910A|Ascend910A",
            computeUnitsMilli: 256_000, memoryBytes: 32 * gibibyte, source: "third-party reports of Huawei's figures", isConfirmed: false,
            partitioning: .ascend910A),
        DeviceModel(
            name: "Ascend 910B2", vendor: "huawei", kind: .npu, pattern: "910B2|Ascend 910B2|Ascend910B2",
            computeUnitsMilli: 376_000, memoryBytes: 64 * gibibyte, source: "third-party reports of Huawei's figures", isConfirmed: false,
            partitioning: .ascend910B2),
        DeviceModel(
            name: "Ascend 910B4", vendor: "huawei", kind: .npu, pattern: "910B4|Ascend 910B4|Ascend910B4",
            computeUnitsMilli: 280_000, memoryBytes: 32 * gibibyte, source: "third-party reports of Huawei's figures", isConfirmed: false,
            partitioning: .ascend910B4),
        DeviceModel(
            name: "Ascend 310P3", vendor: "huawei", kind: .npu, pattern: "310P3|Ascend 310P3|Ascend310P3",
            computeUnitsMilli: 70_000, memoryBytes: 24 * gibibyte, source: "third-party reports of Huawei's figures", isConfirmed: false,
            partitioning: .ascend310P3),
    ]

    private static let cambricon = [
        DeviceModel(
            name: "Cambricon MLU370-X8", vendor: "cambricon", kind: .npu, pattern: "*MLU370-X8",
            computeUnitsMilli: 96_000, memoryBytes: 48 * gibibyte, source: "third-party reports of Cambricon's figures", isConfirmed: false)
    ]
}
