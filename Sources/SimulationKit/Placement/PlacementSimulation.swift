// Tasks that come one by one to nodes that are empty at first, and stay: how much of the devices is left idle.
//
// The protocol of Weng et al., USENIX ATC 2023, section 6: no task leaves, moves or is tried again.

public import ClusterModel
public import Placement

/// One run of a policy over a sequence of arrivals.
public struct PlacementSimulation: Sendable {
    /// A task of a trace.
    public struct Arrival: Sendable {
        public var name: String
        public var shape: TaskShape

        public init(name: String, shape: TaskShape) {
            self.name = name
            self.shape = shape
        }

        /// Thousandths of devices that it asks for.
        var demand: Int64 { shape.resources.devices.map { Int64($0.count) * $0.shareMilli } ?? 0 }
    }

    /// How things stood when some part of the capacity had been asked for.
    public struct Sample: Hashable, Sendable {
        /// Devices asked for so far, in per cent of all.
        public var arrivedPercent: Double
        public var unallocatedPercent: Double
        /// Idle in vain for the tasks expected, in per cent of all devices.
        public var fragmentedPercent: Double
    }

    /// What came of it.
    public struct Outcome: Hashable, Sendable {
        public var policy: PlacementPolicy
        public var seed: UInt64
        public var nodes = 0
        public var devices = 0
        public var tasks = 0
        public var placed = 0
        /// Mean over the arrivals at which the demand rounds to all devices; nil when it never does.
        public var unallocatedPercentAtFull: Double?
        public var allocatedPercent = 0.0
        public var cpuAllocatedPercent = 0.0
        public var memoryAllocatedPercent = 0.0
        /// One for each per cent of demand.
        public var curve: [Sample] = []
        public var candidatesExamined = 0
    }

    private var fleet: Fleet
    private var names: [NodeID: String] = [:]
    private let capacity: Int64
    private var totals: (cpuMilli: Int64, memoryBytes: Int64) = (0, 0)
    private var used: (cpuMilli: Int64, memoryBytes: Int64) = (0, 0)
    private let learns: Bool
    private var arrived: Int64 = 0
    private var allocated: Int64 = 0
    private var full: (sum: Double, count: Int) = (0, 0)
    public private(set) var outcome: Outcome

    /// - Parameters:
    ///   - nodes: in any order: they are shuffled, for the order of a list is a hint that no cluster gives.
    ///   - workload: tasks whose frequencies are expected; without them what is expected is learned as tasks come.
    public init(nodes: [NodeInventory], policy: PlacementPolicy, seed: UInt64, workload: [TaskShape] = []) {
        fleet = Fleet(policy: policy, seed: seed)
        var generator = SeededGenerator(seed: seed)
        for (index, position) in generator.permutation(nodes.count).enumerated() {
            let inventory = nodes[position]
            let id = NodeID(UInt64(index + 1))
            fleet.set(NodeOffer(inventory: inventory), for: id)
            names[id] = inventory.name
            totals.cpuMilli += inventory.cpuMilli
            totals.memoryBytes += inventory.memoryBytes
        }
        capacity = Int64(nodes.reduce(0) { $0 + $1.devices.count }) * 1000
        outcome = Outcome(policy: policy, seed: seed)
        outcome.nodes = nodes.count
        outcome.devices = Int(capacity / 1000)
        learns = workload.isEmpty
        for shape in workload { fleet.expect(fleet.intern(shape)) }
        if !learns { fleet.review() }
    }

    /// The next task: the name of its node and what it holds there, or nil when nothing holds it.
    public mutating func step(_ arrival: Arrival) -> (node: String, allocation: Allocation)? {
        let shape = fleet.intern(arrival.shape)
        if learns { fleet.arrive(shape) }
        arrived += arrival.demand
        outcome.tasks += 1
        let place = fleet.place(shape)
        if let place {
            fleet.take(place.allocation, on: place.node)
            outcome.placed += 1
            allocated += arrival.demand
            used.cpuMilli += place.allocation.cpuMilli
            used.memoryBytes += place.allocation.memoryBytes
        }
        note()
        return place.map { (names[$0.node] ?? "", $0.allocation) }
    }

    private mutating func note() {
        guard capacity > 0 else { return }
        let percent = 100 * Double(arrived) / Double(capacity)
        let unallocated = 100 * Double(capacity - allocated) / Double(capacity)
        if Int(percent + 0.5) == 100 { full = (full.sum + unallocated, full.count + 1) }
        guard percent >= Double(outcome.curve.count) else { return }
        let fragmented = 100 * fleet.fragments / Double(capacity)
        outcome.curve.append(Sample(arrivedPercent: percent, unallocatedPercent: unallocated, fragmentedPercent: fragmented))
    }

    public mutating func finish() -> Outcome {
        func percent(_ part: Int64, _ whole: Int64) -> Double { whole > 0 ? 100 * Double(part) / Double(whole) : 0 }
        outcome.unallocatedPercentAtFull = full.count > 0 ? full.sum / Double(full.count) : nil
        outcome.allocatedPercent = percent(allocated, capacity)
        outcome.cpuAllocatedPercent = percent(used.cpuMilli, totals.cpuMilli)
        outcome.memoryAllocatedPercent = percent(used.memoryBytes, totals.memoryBytes)
        outcome.candidatesExamined = fleet.candidatesExamined
        return outcome
    }
}
