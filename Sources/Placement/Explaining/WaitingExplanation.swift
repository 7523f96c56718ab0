// Why a gang waits, from the same `fit` that would place it.

public import ClusterModel

/// Misfits of one task over all nodes, counted by kind.
public struct WaitingExplanation: Hashable, Sendable {
    public private(set) var nodesExamined = 0
    private let shape: RequestClass
    private var gangIsTooLarge = false
    private var counts: [(key: String, count: Int, best: String)] = []
    /// No node could ever hold it.
    public private(set) var isUnsatisfiable: Bool
    /// Nodes that would hold a task, were their room not set aside for others.
    public private(set) var nodesKeptForOthers = 0

    public static func == (left: WaitingExplanation, right: WaitingExplanation) -> Bool { left.sentence == right.sentence }
    public func hash(into hasher: inout Hasher) { hasher.combine(sentence) }

    /// - Parameter aside: nodes with room set aside for somebody else.
    public init(of shape: RequestClass, on nodes: OfferTable, aside: Set<NodeID> = []) {
        self.shape = shape
        isUnsatisfiable = !shape.groups.contains { nodes.holdsWhenIdle($0) }
        var judges = shape.groups.map { TaskJudge($0.resources, $0.constraints) }
        nodes.forEach { id, offer in
            nodesExamined += 1
            guard let kind = nodes.idle.kind(of: id) else { return }
            var misfit: Misfit?
            for index in judges.indices where misfit == nil { misfit = judges[index].misfit(of: offer, kind: kind) }
            if let misfit { add(misfit) } else if aside.contains(id) { nodesKeptForOthers += 1 }
        }
        guard shape.gangSize > 1, !isUnsatisfiable, !nodes.holdsWhenIdle(shape) else { return }
        gangIsTooLarge = true
        isUnsatisfiable = true
    }

    private mutating func add(_ misfit: Misfit) {
        let (key, detail) = Self.describe(misfit)
        if let index = counts.firstIndex(where: { $0.key == key }) {
            counts[index].count += 1
        } else {
            counts.append((key, 1, detail))
        }
    }

    /// One sentence for people, numbers included.
    public var sentence: String {
        guard nodesExamined > 0 else { return "no node has registered yet" }
        if gangIsTooLarge { return Self.tooLarge(shape, nodesExamined) }
        guard !counts.isEmpty || nodesKeptForOthers > 0 else { return "each task fits, but not the whole gang at once" }
        var parts = counts.map { "\($0.count) of \(nodesExamined) nodes: \($0.best)" }
        if nodesKeptForOthers > 0 {
            parts.insert("\(nodesKeptForOthers) of \(nodesExamined) nodes: room is set aside for a job that has waited too long", at: 0)
        }
        return parts.joined(separator: "; ")
    }

    public static func tooLarge(_ shape: RequestClass, _ nodes: Int) -> String {
        let topology = GangTopology(shape.groups.map(\.resources.topology))
        let level = TopologyRequest.levels.first { !$0.isInsideNode && topology.wish(for: $0) == .require }
        let within = level.map { $0 == .center ? " of one center" : " of one \($0.name)" } ?? ""
        let one = level == .node ? "no one of the \(nodes) nodes" : "no set of the \(nodes) nodes\(within)"
        return "a gang of \(shape.gangSize) tasks fits \(one) at once, even when all are idle"
    }

    private static func describe(_ outage: Outage) -> String {
        switch outage {
        case .notConnected: "out of service (not connected)"
        case .quarantined: "quarantined (two machines share its identity)"
        case .cordoned: "cordoned"
        case .leftovers: "out of service (what was stopped there may still run)"
        case .diskFull: "out of service (its disk is full)"
        }
    }

    private static func describe(_ misfit: Misfit) -> (String, String) {
        switch misfit {
        case .outOfService(let outage): ("service \(outage)", describe(outage))
        case .simulated: ("simulated", "simulated (only for jobs with --constraint simulated)")
        case .constraint(let text): ("constraint \(text)", "constraint '\(text)' not met")
        case .cpu(let requested, let free): ("cpu", "\(AmountText.cores(requested)) requested, \(AmountText.cores(free)) free")
        case .memory(let requested, let free):
            ("memory", "\(AmountText.memory(requested, isNeeded: true)) of memory requested, \(AmountText.memory(free)) free")
        case .devices(let kind, let requested, let free): ("devices", "\(requested) \(kind) requested, \(free) free")
        case .noSuchDevice(let kind, let model):
            ("device model", "no \(kind)\(model.isEmpty ? "" : " like '\(model)'") that is large enough")
        case .noSuchTemplate(let template): ("template", "no device is divided into partitions '\(template)'")
        case .computeUnits(let requested, let most):
            (
                "compute units",
                "\(AmountText.computeUnits(requested)) compute units requested, \(AmountText.computeUnits(most)) there on devices of one strength"
            )
        case .wholeCores(let requested, let free): ("whole cores", "\(requested) whole cores requested, \(free) free")
        case .topology(let level): ("topology \(level)", "not enough that is free at the level '\(level.name)'")
        case .tainted(let taint): ("taint \(taint)", "kept for jobs with --constraint \(taint)")
        }
    }
}

/// Amounts in the sentences that explain.
public enum AmountText {
    public static func cores(_ milli: Int64) -> String {
        milli == 1000 ? "1 core" : milli % 1000 == 0 ? "\(milli / 1000) cores" : "\(milli)m cores"
    }

    /// A length of time that is not known well.
    public static func about(_ span: Span) -> String {
        let seconds = span.wholeSeconds
        if seconds < 120 { return "about \(max(1, seconds)) s" }
        return seconds < 7200 ? "about \(seconds / 60) min" : "about \(seconds / 3600) h"
    }

    public static func computeUnits(_ milli: Int64) -> String {
        guard milli % 1000 != 0 else { return "\(milli / 1000)" }
        var fraction = String(1000 + milli % 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(milli / 1000).\(fraction)"
    }

    /// Whole GiB, or else MiB: what is free rounded down, what is needed up, so that the two never look alike by mistake.
    public static func memory(_ bytes: Int64, isNeeded: Bool = false) -> String {
        let mebibytes = (bytes >> 20) + (isNeeded && bytes & 0xF_FFFF != 0 ? 1 : 0)
        return mebibytes > 0 && mebibytes % 1024 == 0 ? "\(mebibytes / 1024) GiB" : "\(mebibytes) MiB"
    }
}
