// The nodes as a search sees them: in groups that can take the same.
//
// A cluster has many nodes and few that differ: equal machines with equally much free are one group, and a request is
// judged once for all of them. Scores are kept by group and shape until the group is no more.

public import ClusterModel

/// Nodes in groups of equals, with what a policy makes of each group.
public struct Fleet: Sendable {
    struct Group: Sendable {
        var kind: Int
        var room: NodeRoom
        /// Node numbers.
        var members = IntervalSet()
        var fragments: Double?
    }

    struct Entry: Sendable {
        var offer: NodeOffer
        var kind: Int
    }

    private struct GroupKey: Hashable {
        var kind: Int
        var room: NodeRoom
    }

    /// A score of a shape in a group, as long as the group's version is the one it was made for.
    struct Score: Sendable {
        var version: UInt32 = 0
        var value: Float = 0
    }

    /// A bound of a shape in a group, as long as the group's version is the one it was made for.
    struct Bound: Sendable {
        var version: UInt32 = 0
        var tasks: Int64 = 0
    }

    public let policy: PlacementPolicy
    var generator: UInt64

    private(set) var kinds = NodeKindTable()
    var groups: [Group] = []
    /// Of each group; rises when the place is given to another, or what is expected changes.
    private(set) var versions: [UInt32] = []
    /// The number of each group's first member; infinite in an empty place.
    private(set) var orders: [Float] = []
    private var places: [GroupKey: Int] = [:]
    private var emptyPlaces: [Int] = []
    private(set) var nodes = Table<NodeID, Entry>()
    /// The group of each node in service.
    private(set) var placeOf = Table<NodeID, Int>()
    private(set) var lastNumber: UInt64 = 1
    private(set) var domains = DomainTable()

    private(set) var shapes: [TaskShape] = []
    /// By shape: whether equal nodes are not equal to it.
    private(set) var namesNodes: [Bool] = []
    /// Of shapes that tell equal nodes apart: by what, and the number of the same shape without it.
    private(set) var placeConstraints: [Int: (constraints: [Constraint], plain: Int)] = [:]
    private var shapeNumbers: [TaskShape: Int] = [:]
    /// By shape, then by kind; nil: not worked out yet.
    private var suitabilities: [[Result<Suitability, Misfit>?]] = []
    /// By shape, then by group.
    var scores: [[Score]] = []
    /// By shape of gangs, then by group: tasks that a node holds, at most.
    var bounds: [Int: [Bound]] = [:]

    private(set) var mix = WorkloadMix()
    /// Arrivals at which what is expected is worked out again.
    private var nextReview = 1.0
    private var values: [DeviceClass: ShareValues] = [:]
    private var measures: [FragmentationMeasure?] = []
    /// Groups that were judged so far: tests pin this, never the time.
    public internal(set) var candidatesExamined = 0

    /// Devices whose shares have one price.
    private struct DeviceClass: Hashable {
        var kind: DeviceKind
        var model: String
        /// The share that an amount of memory stands for follows from it.
        var memoryBytes: Int64
    }

    public init(policy: PlacementPolicy = .suanpan, seed: UInt64 = 1) {
        self.policy = policy
        generator = seed
    }

    // MARK: Nodes

    public var count: Int { nodes.count }
    public var shapeCount: Int { shapes.count }
    /// Most inventories that it knows are of no node any more: it should be made again.
    public var isOfOldKinds: Bool { kinds.inventories.count > 4 * nodes.count + 1024 }

    public subscript(id: NodeID) -> NodeOffer? { nodes[id]?.offer }
    /// Whether the node is there and in service.
    public func serves(_ id: NodeID) -> Bool { placeOf[id] != nil }
    /// A number that nodes have in common where only name and place tell them apart.
    func kind(of id: NodeID) -> Int? { nodes[id]?.kind }

    /// Adds a node, or replaces what is known of it.
    public mutating func set(_ offer: NodeOffer, for id: NodeID) {
        let known = nodes[id]
        leave(id)
        lastNumber = max(lastNumber, id.value)
        let same = known.flatMap { $0.offer.inventory == offer.inventory ? $0.kind : nil }
        if same == nil { domains.set(id.value, offer.inventory) }
        let kind = same ?? kinds.intern(offer.inventory)
        let entry = Entry(offer: offer, kind: kind)
        join(id, entry)
        nodes.set(entry, for: id)
    }

    public mutating func remove(_ id: NodeID) {
        leave(id)
        domains.set(id.value, nil)
        nodes.remove(id)
    }

    public mutating func take(_ allocation: Allocation, on id: NodeID) { change(id) { $0.take(allocation) } }

    public mutating func give(_ allocation: Allocation, on id: NodeID) { change(id) { $0.give(allocation) } }

    private mutating func change(_ id: NodeID, _ body: (inout NodeOffer) -> Void) {
        guard var entry = nodes[id] else { return }
        leave(id)
        body(&entry.offer)
        join(id, entry)
        nodes.set(entry, for: id)
    }

    private mutating func leave(_ id: NodeID) {
        guard let place = placeOf.remove(id) else { return }
        groups[place].members.remove(id.value)
        if groups[place].members.isEmpty {
            places[GroupKey(kind: groups[place].kind, room: groups[place].room)] = nil
            emptyPlaces.append(place)
            orders[place] = .infinity
        } else {
            orders[place] = order(of: place)
        }
    }

    private mutating func join(_ id: NodeID, _ entry: Entry) {
        guard entry.offer.outage == nil else { return }
        let key = GroupKey(kind: entry.kind, room: entry.offer.room)
        let place = places[key] ?? makePlace(for: key)
        groups[place].members.insert(id.value)
        orders[place] = order(of: place)
        placeOf.set(place, for: id)
    }

    private mutating func makePlace(for key: GroupKey) -> Int {
        let place: Int
        if let empty = emptyPlaces.popLast() {
            place = empty
            groups[place] = Group(kind: key.kind, room: key.room)
            versions[place] &+= 1
        } else {
            place = groups.count
            groups.append(Group(kind: key.kind, room: key.room))
            versions.append(1)
            orders.append(.infinity)
        }
        places[key] = place
        return place
    }

    private func order(of place: Int) -> Float { Float(groups[place].members.first(from: 0) ?? 0) }

    // MARK: Shapes

    /// The number of a shape.
    public mutating func intern(_ shape: TaskShape) -> Int {
        if let known = shapeNumbers[shape] { return known }
        shapes.append(shape)
        namesNodes.append(shape.namesNodes)
        suitabilities.append([])
        scores.append([])
        let number = shapes.count - 1
        shapeNumbers[shape] = number
        if shape.namesNodes { placeConstraints[number] = (shape.placeConstraints, intern(shape.withoutPlaces)) }
        return number
    }

    /// Whether the node holds a task of the shape now. What the task means there is worked out once for all that are alike; only
    /// what tells these apart is asked of each.
    mutating func isHeld(_ shape: Int, by id: NodeID) -> Bool {
        guard let entry = nodes[id], entry.offer.outage == nil else { return false }
        var shape = shape
        if let place = placeConstraints[shape] {
            guard place.constraints.allSatisfy({ $0.isMet(by: entry.offer.inventory) }) else { return false }
            shape = place.plain
        }
        guard case .success(let suitability) = suitability(of: shape, on: entry.kind) else { return false }
        return suitability.misfit(in: entry.offer.room) == nil
    }

    mutating func suitability(of shape: Int, on kind: Int) -> Result<Suitability, Misfit> {
        while suitabilities[shape].count <= kind { suitabilities[shape].append(nil) }
        if let known = suitabilities[shape][kind] { return known }
        let result: Result<Suitability, Misfit>
        do throws(Misfit) {
            result = .success(try Suitability(of: shapes[shape], on: kinds.inventories[kind]))
        } catch {
            result = .failure(error)
        }
        suitabilities[shape][kind] = result
        return result
    }

    // MARK: What is expected

    /// A task has ended, and its room is free for others.
    public mutating func end() { mix.end() }

    /// So many more tasks of this shape; what is expected follows.
    public mutating func arrive(_ shape: Int, times: Double = 1) {
        mix.arrive(shape, times: times)
        guard mix.arrivals >= nextReview else { return }
        review()
    }

    /// One task of this shape in what is expected, whether or not it comes.
    public mutating func expect(_ shape: Int) { mix.expect(shape, times: 1) }

    /// Thousandths of devices that are idle in vain for the tasks expected, on all nodes in service.
    public var fragments: Double {
        mutating get {
            var sum = 0.0
            for place in groups.indices where orders[place] < .infinity {
                let room = groups[place].room
                sum += measure(of: groups[place].kind).fragments(in: room) * Double(groups[place].members.count)
            }
            return sum
        }
    }

    /// Works out prices and measures for what has come so far. Rarer and rarer, so that its cost stays a part of all.
    public mutating func review() {
        nextReview = mix.arrivals * 1.25 + 16
        values.removeAll()
        measures.removeAll()
        guard policy == .suanpan || policy == .fgd else { return }
        for place in groups.indices {
            versions[place] &+= 1
            groups[place].fragments = nil
        }
    }

    /// Prices of shares of the devices of a class, from all tasks that may go there.
    mutating func shareValues(_ device: Device) -> ShareValues {
        let key = DeviceClass(kind: device.kind, model: device.model, memoryBytes: device.memoryBytes)
        if let known = values[key] { return known }
        var demand: [Int64: Double] = [:]
        let kind = kinds.inventories.firstIndex { $0.devices.contains(device) } ?? 0
        for shape in shapes.indices where shape < mix.counts.count && mix.counts[shape] > 0 {
            guard case .success(let suitability) = suitability(of: shape, on: kind), let devices = suitability.devices,
                let grant = devices.grants[Int(device.index)]
            else { continue }
            demand[grant.shareMilli, default: 0] += mix.counts[shape] * Double(devices.count)
        }
        if policy == .suanpan { demand[1000, default: 0] += WorkloadMix.prior }
        let made = ShareValues(demand: demand)
        values[key] = made
        return made
    }

    /// No more shapes than a measure takes: those at equal steps of all, in the order of what they ask for.
    private func sampled(_ typical: [(shape: Int, weight: Double)]) -> [(shape: Int, weight: Double)] {
        let most = FragmentationMeasure.shapesMax
        guard typical.count > most else { return typical }
        let sorted = typical.sorted { (demand(of: $0.shape), $0.shape) < (demand(of: $1.shape), $1.shape) }
        var sample: [(shape: Int, weight: Double)] = []
        var sum = 0.0
        for entry in sorted {
            sum += entry.weight
            while sample.count < most, (Double(sample.count) + 0.5) / Double(most) < sum { sample.append((entry.shape, 1 / Double(most))) }
        }
        return sample
    }

    /// Devices, then cores.
    func demand(of shape: Int) -> Int64 {
        let resources = shapes[shape].resources
        let devices =
            resources.devices.map { $0.computeUnitsMilli > 0 ? $0.computeUnitsMilli : Int64($0.count) * max($0.shareMilli, 1) } ?? 0
        return devices << 32 + min(resources.cpuMilli, 1 << 31)
    }

    /// Tasks for one whole device of each kind that is there, which are expected before anything is known: what came first
    /// should not break the devices that others will want whole.
    private func unforeseen(on kind: Int) -> [(weight: Double, shape: TaskShape, suitability: Suitability?)] {
        guard policy == .suanpan else { return [] }
        let inventory = kinds.inventories[kind]
        let kept = inventory.taints + (inventory.isSimulated ? [simulatedLabel] : [])
        let constraints = kept.map(Constraint.init(naming:))
        return Set(inventory.devices.map(\.kind)).sorted { $0.rawValue < $1.rawValue }.map { device in
            let request = ResourceRequest(cpuMilli: 0, memoryBytes: 0, devices: DeviceRequest(kind: device, count: 1))
            let shape = TaskShape(request, constraints)
            return (
                weight: WorkloadMix.prior / (mix.arrivals + WorkloadMix.prior), shape: shape,
                suitability: try? Suitability(of: shape, on: inventory)
            )
        }
    }

    mutating func measure(of kind: Int) -> FragmentationMeasure {
        while measures.count <= kind { measures.append(nil) }
        if let known = measures[kind] { return known }
        let typical = sampled(mix.typical(share: FragmentationMeasure.share)).map { entry in
            (weight: entry.weight, shape: shapes[entry.shape], suitability: try? suitability(of: entry.shape, on: kind).get())
        }
        let made = FragmentationMeasure(of: typical + unforeseen(on: kind), on: kinds.inventories[kind])
        measures[kind] = made
        return made
    }
}
