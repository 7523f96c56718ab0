// Why a gang waits, from the same `fit` that would place it.

public import ClusterModel

/// Misfits of one task over all nodes, counted by kind.
public struct WaitingExplanation: Hashable, Sendable {
    public private(set) var nodesExamined = 0
    private let shape: RequestClass
    private var gangIsTooLarge = false
    /// By the number that nodes have in common which are alike.
    private var rows: [Row] = []
    /// No node could ever hold it.
    public private(set) var isUnsatisfiable: Bool
    /// Nodes that would hold a task, were their room not set aside for others.
    public private(set) var nodesKeptForOthers = 0

    private struct Row: Hashable, Sendable {
        var nodeClass: NodeClass
        var nodes = 0
        var nodesThatFit = 0
        var nodesKeptForOthers = 0
        var misfits = MisfitTally()
    }

    public static func == (left: WaitingExplanation, right: WaitingExplanation) -> Bool { left.sentence == right.sentence }
    public func hash(into hasher: inout Hasher) { hasher.combine(sentence) }

    /// - Parameter aside: nodes with room set aside for somebody else.
    public init(of shape: RequestClass, on nodes: OfferTable, aside: Set<NodeID> = []) {
        self.shape = shape
        isUnsatisfiable = !shape.groups.contains { nodes.holdsWhenIdle($0) }
        var judges = shape.groups.map { TaskJudge($0.resources, $0.constraints) }
        var rowOfKind: [Int: Int] = [:]
        nodes.forEach { id, offer in
            nodesExamined += 1
            guard let kind = nodes.idle.kind(of: id) else { return }
            var misfit: Misfit?
            for index in judges.indices where misfit == nil { misfit = judges[index].misfit(of: offer, kind: kind) }
            let row = rowOfKind[kind] ?? row(of: NodeClass(of: offer.inventory))
            rowOfKind[kind] = row
            rows[row].nodes += 1
            if let misfit {
                rows[row].misfits.add(misfit)
            } else if aside.contains(id) {
                rows[row].nodesKeptForOthers += 1
                nodesKeptForOthers += 1
            } else {
                rows[row].nodesThatFit += 1
            }
        }
        guard shape.gangSize > 1, !isUnsatisfiable, !nodes.holdsWhenIdle(shape) else { return }
        gangIsTooLarge = true
        isUnsatisfiable = true
    }

    private mutating func row(of nodeClass: NodeClass) -> Int {
        if let known = rows.firstIndex(where: { $0.nodeClass == nodeClass }) { return known }
        rows.append(Row(nodeClass: nodeClass))
        return rows.count - 1
    }

    /// What stands beside the state of a job that waits for this.
    public var reason: Reason {
        if isUnsatisfiable, nodesExamined > 0 { return .unsatisfiable }
        return nodesKeptForOthers > 0 ? .reservation : .capacity
    }

    /// One sentence for people, numbers included.
    public var sentence: String {
        guard nodesExamined > 0 else { return "no node has registered yet" }
        if gangIsTooLarge { return Self.tooLarge(shape, nodesExamined) }
        var misfits = MisfitTally()
        for row in rows { misfits.add(row.misfits) }
        guard !misfits.isEmpty || nodesKeptForOthers > 0 else { return "each task fits, but not the whole gang at once" }
        var parts = misfits.causes.map { "\($0.nodes) of \(nodesExamined) nodes: \($0.sentence)" }
        let nodesThatFit = rows.reduce(0) { $0 + $1.nodesThatFit }
        if shape.gangSize > 1, nodesThatFit > 0 {
            let room = "room for a task, not for all \(shape.gangSize) of the gang at once"
            parts.insert("\(nodesThatFit) of \(nodesExamined) nodes: \(room)", at: 0)
        }
        if nodesKeptForOthers > 0 {
            parts.insert("\(nodesKeptForOthers) of \(nodesExamined) nodes: room is set aside for a job that has waited too long", at: 0)
        }
        return parts.joined(separator: "; ")
    }

    /// The same for each class of nodes, those first of which there are most.
    public var classes: [NodeClassExplanation] {
        rows.enumerated().sorted { (-$0.element.nodes, $0.offset) < (-$1.element.nodes, $1.offset) }.map { _, row in
            NodeClassExplanation(
                nodeClass: row.nodeClass, nodes: row.nodes, nodesThatFit: row.nodesThatFit, nodesKeptForOthers: row.nodesKeptForOthers,
                causes: row.misfits.causes.map { NodeClassExplanation.Cause(nodes: $0.nodes, sentence: $0.sentence) })
        }
    }

    public static func tooLarge(_ shape: RequestClass, _ nodes: Int) -> String {
        let topology = GangTopology(shape.groups.map(\.resources.topology))
        let level = TopologyRequest.levels.first { !$0.isInsideNode && topology.wish(for: $0) == .require }
        let within = level.map { $0 == .center ? " of one center" : " of one \($0.name)" } ?? ""
        let one = level == .node ? "no one of the \(nodes) nodes" : "no set of the \(nodes) nodes\(within)"
        return "a gang of \(shape.gangSize) tasks fits \(one) at once, even when all are idle"
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

    /// A length of time as it would be written: `90s`, `45m`, `2h`.
    public static func exactly(_ span: Span) -> String {
        let seconds = span.wholeSeconds
        if seconds > 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        return seconds > 0 && seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
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
