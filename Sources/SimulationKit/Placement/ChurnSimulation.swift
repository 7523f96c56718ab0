// Tasks that come and go for ever: how much of the devices is held on average.

public import ClusterModel
public import Placement

/// One run of a policy over tasks drawn from a list, which come at random instants and live for random times, both exponentially
/// distributed, so that what is asked for at once is `load` of all devices on average. A task that finds no room is lost.
public struct ChurnSimulation: Sendable {
    /// In mean lives: the run begins empty, and is looked at from `settled` to `end`.
    private static let settled = 2.0
    private static let end = 6.0

    /// What came of it.
    public struct Outcome: Hashable, Sendable {
        public var policy: PlacementPolicy
        public var seed: UInt64
        public var load: Double
        public var tasks = 0
        public var refused = 0
        /// Mean over time, in per cent of all devices.
        public var allocatedPercent = 0.0
    }

    private struct Ending: Comparable {
        var at: Double
        var place: TaskPlace
        var demand: Int64

        static func < (left: Ending, right: Ending) -> Bool { left.at < right.at }
        static func == (left: Ending, right: Ending) -> Bool { left.at == right.at }
    }

    private var fleet: Fleet
    private let arrivals: [PlacementSimulation.Arrival]
    private let capacity: Int64
    private var generator: SeededGenerator
    private var endings = BinaryHeap<Ending>()
    private var now = 0.0
    private var allocated: Int64 = 0
    /// Device-thousandths times mean lives.
    private var held = 0.0
    private var outcome: Outcome

    public init(nodes: [NodeInventory], tasks: [PlacementSimulation.Arrival], policy: PlacementPolicy, seed: UInt64, load: Double) {
        var generator = SeededGenerator(seed: seed)
        fleet = Fleet(policy: policy, seed: seed)
        for (index, position) in generator.permutation(nodes.count).enumerated() {
            fleet.set(NodeOffer(inventory: nodes[position]), for: NodeID(UInt64(index + 1)))
        }
        self.generator = generator
        arrivals = tasks
        capacity = Int64(nodes.reduce(0) { $0 + $1.devices.count }) * 1000
        outcome = Outcome(policy: policy, seed: seed, load: load)
    }

    /// - Parameter progress: told the part that is done, now and then.
    public mutating func run(progress: (Double) -> Void) -> Outcome {
        let demand = arrivals.reduce(0) { $0 + $1.demand }
        guard capacity > 0, demand > 0, outcome.load > 0 else { return outcome }
        let interval = Double(demand) / Double(arrivals.count) / (outcome.load * Double(capacity))
        while true {
            let next = now + interval * exponential()
            while let first = endings.first, first.at <= min(next, Self.end) {
                pass(to: first.at)
                endings.removeFirst()
                fleet.give(first.place.allocation, on: first.place.node)
                fleet.end()
                allocated -= first.demand
            }
            pass(to: min(next, Self.end))
            guard next < Self.end else { break }
            arrive()
            if outcome.tasks % 1024 == 0 { progress(now / Self.end) }
        }
        outcome.allocatedPercent = 100 * held / (Self.end - Self.settled) / Double(capacity)
        return outcome
    }

    private mutating func pass(to instant: Double) {
        if instant > Self.settled { held += Double(allocated) * (instant - max(now, Self.settled)) }
        now = instant
    }

    private mutating func arrive() {
        let task = arrivals[generator.below(arrivals.count)]
        // Drawn whether or not it is placed, so that all policies see the same tasks.
        let life = exponential()
        let shape = fleet.intern(task.shape)
        fleet.arrive(shape)
        outcome.tasks += 1
        guard let place = fleet.place(shape) else {
            outcome.refused += 1
            return
        }
        fleet.take(place.allocation, on: place.node)
        allocated += task.demand
        endings.insert(Ending(at: now + life, place: place, demand: task.demand))
    }

    /// Mean 1, from comparisons alone (von Neumann 1951): the core has no mathematics library.
    private mutating func exponential() -> Double {
        var whole = 0.0
        while true {
            let first = uniform()
            var (last, isOdd) = (first, true)
            while true {
                let next = uniform()
                guard next < last else { break }
                (last, isOdd) = (next, !isOdd)
            }
            if isOdd { return whole + first }
            whole += 1
        }
    }

    private mutating func uniform() -> Double { Double(generator.next() >> 11) / Double(UInt64(1) << 53) }
}
