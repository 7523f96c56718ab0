import ClusterModel
import Testing

struct DeviceModelTests {
    private func device(_ vendor: String, _ model: String, _ kind: DeviceKind = .gpu) -> Device {
        Device(index: 0, kind: kind, vendor: vendor, model: model, uuid: "", pciAddress: "", memoryBytes: 0, numaNode: nil)
    }

    @Test(
        arguments: [
            ("Tesla V100-SXM2-16GB", 125_000), ("Tesla V100 SXM2 32GB", 125_000), ("Tesla V100-PCIE-32GB", 112_000), ("Tesla T4", 65_000),
            ("NVIDIA A100-SXM4-80GB", 312_000), ("A100 PCIe 40GB", 312_000), ("NVIDIA H100 PCIe", 756_500),
            ("NVIDIA H100 80GB HBM3", 989_500), ("nvidia h200", 989_000),
        ] as [(String, Int64)])
    func cardPricesAtItsNominalStrength(_ model: String, _ computeUnitsMilli: Int64) {
        #expect(DeviceModelTable.nominal.pricedComputeUnitsMilli(of: device("nvidia", model)) == computeUnitsMilli)
    }

    /// Names that resemble a row's and are other cards.
    @Test(arguments: [
        "", "Tesla V100-SXM3-32GB-H", "Tesla V100S-PCIE-32GB", "NVIDIA A100-SXM4-80GB MIG 1g.10gb", "NVIDIA T400", "NVIDIA H200 NVL",
        "NVIDIA GH200 480GB", "Tesla P100-SXM2-16GB",
    ])
    func otherCardHasNoModel(_ model: String) {
        #expect(DeviceModelTable.nominal.lookup(device: device("nvidia", model)) == nil)
    }

    @Test func vendorAndKindMustFitToo() {
        #expect(DeviceModelTable.nominal.lookup(device: device("amd", "Tesla T4")) == nil)
        #expect(DeviceModelTable.nominal.lookup(device: device("nvidia", "Tesla T4", .npu)) == nil)
    }

    @Test func unconfirmedModelIsKnownAndNeverPrices() throws {
        let ascend = device("huawei", "910B4", .npu)
        let model = try #require(DeviceModelTable.nominal.lookup(device: ascend))
        #expect(model.computeUnitsMilli == 280_000)
        #expect(!model.isConfirmed)
        #expect(DeviceModelTable.nominal.pricedComputeUnitsMilli(of: ascend) == nil)
    }

    @Test func shippedTableIsValid() {
        let table = DeviceModelTable.nominal
        #expect(table.validate().isEmpty)
        #expect(table.rows.allSatisfy { !$0.source.isEmpty })
        #expect(table.rows.contains { !$0.isConfirmed })
    }

    @Test func faultsOfATableAreNamed() {
        let row = DeviceModel(
            name: "", vendor: "v", kind: .gpu, pattern: "*", computeUnitsMilli: 0, memoryBytes: -1, source: "", isConfirmed: true)
        let fields = DeviceModelTable(version: 0, rows: [row]).validate().map(\.field)
        #expect(fields == ["version", "rows[0].name", "rows[0].computeUnitsMilli", "rows[0].memoryBytes", "rows[0].source"])
    }

    @Test func firstFittingRowDecides() {
        let rows = ["A*", "*"].map { pattern in
            DeviceModel(
                name: pattern, vendor: "v", kind: .gpu, pattern: pattern, computeUnitsMilli: 1, memoryBytes: 0, source: "",
                isConfirmed: false)
        }
        let table = DeviceModelTable(version: 1, rows: rows)
        #expect(table.lookup(device: device("v", "A1"))?.name == "A*")
        #expect(table.lookup(device: device("v", "B1"))?.name == "*")
    }

    @Test func sliceRoundsDownToAMilliUnit() {
        #expect(ComputeUnits.sliceMilli(ofDevice: 989_500, shareMilli: 333) == 329_503)
        #expect(ComputeUnits.sliceMilli(ofDevice: 989_500, shareMilli: 1000) == 989_500)
        #expect(ComputeUnits.sliceMilli(ofDevice: 1, shareMilli: 999) == 0)
        #expect(ComputeUnits.sliceMilli(ofDevice: .max, shareMilli: 1000) == .max)
    }

    @Test func processorStrengthIsCoresTimesClockTimesWidth() {
        #expect(ComputeUnits.processorMilli(cores: 64, clockMegahertz: 2450, operationsPerCycle: 32) == 5_017)
        #expect(ComputeUnits.processorMilli(cores: 1, clockMegahertz: 1, operationsPerCycle: 1) == 0)
        #expect(ComputeUnits.processorMilli(cores: 0, clockMegahertz: 2450, operationsPerCycle: 32) == nil)
        #expect(ComputeUnits.processorMilli(cores: 1_000_000, clockMegahertz: 100_000, operationsPerCycle: 100_000) == 10_000_000_000_000)
    }
}

struct GlobPatternTests {
    @Test(arguments: [
        ("A100*|H100*", "a100-sxm4-80gb", true), ("A100*|H100*", "NVIDIA A100", false), ("*A100*|*H100*", "NVIDIA A100", true),
        ("T4", "T4", true), ("T4", "T40", false), ("T?", "T4", true), ("T?", "T", false), ("", "", true), ("", "x", false),
        ("*", "", true), ("**a**", "xay", true), ("a*b*c", "aXXbYYc", true), ("a*b*c", "aXXbYY", false), ("|x", "", true),
        ("*ab", "aab", true), ("*a?c", "abcaxc", true),
    ])
    func patternMatchesWholeNames(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(GlobPattern(pattern).matches(text) == expected)
    }

    /// Backtracking over every `*` would take longer than the universe has existed.
    @Test func manyStarsStayQuick() {
        let pattern = GlobPattern(String(repeating: "*a", count: 100) + "*b")
        #expect(!pattern.matches(String(repeating: "a", count: 5_000)))
    }
}
