import ClusterModel
import Placement
import SimulationKit
import Testing

@Suite struct PlacementSimulationTests {
    private static func nodes(_ prefix: String) -> [NodeInventory] {
        (0..<60).map { number in
            NodeInventory(
                name: "\(prefix)\(number)", address: "", cpuMilli: [96_000, 104_000, 32_000][number % 3], memoryBytes: 384 << 30,
                devices: (0..<UInt32([8, 2, 4][number % 3])).map {
                    Device(
                        index: $0, kind: .gpu, vendor: "", model: ["A", "B", "C"][number % 3], uuid: "", pciAddress: "", memoryBytes: 0,
                        numaNode: nil)
                })
        }
    }

    /// Pieces that waste a device unless they meet: whole ones, 800, pairs of 450, 300 and 200, cores alone.
    private static func tasks(seed: UInt64, count: Int = 900) -> [PlacementSimulation.Arrival] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { number in
            let share = [1000, 1000, 800, 450, 450, 300, 200, 0][generator.below(8)]
            let devices = share == 0 ? nil : DeviceRequest(kind: .gpu, count: 1, shareMilli: Int64(share))
            let resources = ResourceRequest(cpuMilli: [2000, 8000, 11_000][generator.below(3)], memoryBytes: 8 << 30, devices: devices)
            return PlacementSimulation.Arrival(name: "task-\(number)", shape: TaskShape(resources))
        }
    }

    private func outcome(_ policy: PlacementPolicy, seed: UInt64, prefix: String = "n") -> PlacementSimulation.Outcome {
        var simulation = PlacementSimulation(nodes: Self.nodes(prefix), policy: policy, seed: seed)
        for task in Self.tasks(seed: seed) { _ = simulation.step(task) }
        return simulation.finish()
    }

    @Test func oursLeavesLessIdleThanEitherBaseline() throws {
        var sums: [PlacementPolicy: Double] = [:]
        for seed in UInt64(1)...5 {
            for policy in [PlacementPolicy.suanpan, .fgd, .firstfit, .random] {
                sums[policy, default: 0] += try #require(outcome(policy, seed: seed).unallocatedPercentAtFull)
            }
        }
        #expect(sums[.suanpan]! < sums[.fgd]! && sums[.suanpan]! < sums[.firstfit]! && sums[.firstfit]! < sums[.random]!, "\(sums)")
    }

    @Test(arguments: PlacementPolicy.allCases) func namesOfNodesMeanNothing(policy: PlacementPolicy) {
        #expect(outcome(policy, seed: 3) == outcome(policy, seed: 3, prefix: "zz"))
    }

    @Test func tasksThatComeAndGoHoldWhatTheyAskFor() {
        var simulation = ChurnSimulation(nodes: Self.nodes("n"), tasks: Self.tasks(seed: 1), policy: .suanpan, seed: 1, load: 0.4)
        let outcome = simulation.run { _ in }
        #expect(outcome.refused == 0)
        #expect(abs(outcome.allocatedPercent - 40) < 3, "\(outcome)")
    }
}
