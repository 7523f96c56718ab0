// Reasons why nodes do not hold a task, counted by kind, each with the numbers of the node that comes nearest.

import ClusterModel

struct MisfitTally: Hashable, Sendable {
    private struct Row: Hashable, Sendable {
        var key: String
        var count: Int
        /// Of the node that comes nearest.
        var nearest: Misfit
        var isUniform = true
    }

    /// In the order in which they were met first.
    private var rows: [Row] = []

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ misfit: Misfit, count: Int = 1) {
        let key = misfit.key
        guard let index = rows.firstIndex(where: { $0.key == key }) else {
            rows.append(Row(key: key, count: count, nearest: misfit))
            return
        }
        rows[index].count += count
        if misfit != rows[index].nearest { rows[index].isUniform = false }
        if misfit.free > rows[index].nearest.free { rows[index].nearest = misfit }
    }

    mutating func add(_ other: MisfitTally) {
        for row in other.rows {
            add(row.nearest, count: row.count)
            if !row.isUniform, let index = rows.firstIndex(where: { $0.key == row.key }) { rows[index].isUniform = false }
        }
    }

    /// Most nodes first.
    var causes: [(nodes: Int, sentence: String)] {
        rows.enumerated().sorted { (-$0.element.count, $0.offset) < (-$1.element.count, $1.offset) }.map { _, row in
            (row.count, row.nearest.sentence(isUniform: row.isUniform))
        }
    }
}

extension Misfit {
    /// Misfits of one key are counted together.
    fileprivate var key: String {
        switch self {
        case .outOfService(let outage): "service \(outage)"
        case .simulated: "simulated"
        case .constraint(let text): "constraint \(text)"
        case .cpu: "cpu"
        case .memory: "memory"
        case .devices: "devices"
        case .noSuchDevice: "device model"
        case .noSuchTemplate: "template"
        case .computeUnits: "compute units"
        case .wholeCores: "whole cores"
        case .topology(let level): "topology \(level)"
        // Whose the pools of others are is theirs to know.
        case .tainted(let taint): NodeMembership.isTaintOfPool(taint) ? "pool" : "taint \(taint)"
        }
    }

    /// How much there is of what is missing.
    fileprivate var free: Int64 {
        switch self {
        case .cpu(_, let free), .memory(_, let free), .wholeCores(_, let free): free
        case .devices(_, _, let free): Int64(free)
        case .computeUnits(_, let most): most
        case .outOfService, .simulated, .constraint, .noSuchDevice, .noSuchTemplate, .topology, .tainted: 0
        }
    }

    /// - Parameter isUniform: the numbers are those of all nodes, not of the one that comes nearest.
    fileprivate func sentence(isUniform: Bool) -> String {
        let most = isUniform ? "" : "at most "
        switch self {
        case .outOfService(let outage): return outage.sentence
        case .simulated: return "simulated (only for jobs with --constraint simulated)"
        case .constraint(let text): return "constraint '\(text)' not met"
        case .cpu(let requested, let free): return "\(AmountText.cores(requested)) requested, \(most)\(AmountText.cores(free)) free"
        case .memory(let requested, let free):
            return "\(AmountText.memory(requested, isNeeded: true)) of memory requested, \(most)\(AmountText.memory(free)) free"
        case .devices(let kind, let requested, let free):
            // Nobody asked for devices who asked for compute units.
            let isForUnits = kind == DeviceRequest.anyKindName
            let what = isForUnits ? "device\(requested == 1 ? "" : "s") for the compute units" : kind
            return "\(requested) \(what) requested, \(most)\(free) free"
        case .noSuchDevice(let kind, let model):
            return model.isEmpty ? "no such \(kind)" : "no \(kind) like '\(model)' that is large enough"
        case .noSuchTemplate(let template): return "no device is divided into partitions '\(template)'"
        case .computeUnits(let requested, let free):
            let (requested, free) = (AmountText.computeUnits(requested), AmountText.computeUnits(free))
            return "\(requested) compute units requested, \(most)\(free) there on devices of one strength"
        case .wholeCores(let requested, let free): return "\(requested) whole cores requested, \(most)\(free) free"
        case .topology(let level): return "not enough that is free at the level '\(level.name)'"
        case .tainted(let taint):
            return NodeMembership.isTaintOfPool(taint)
                ? "kept for a pool that it does not ask for" : "kept for jobs with --constraint \(taint)"
        }
    }
}

extension Outage {
    fileprivate var sentence: String {
        switch self {
        case .notConnected: "out of service (not connected)"
        case .quarantined: "quarantined (two machines share its identity)"
        case .cordoned: "cordoned"
        case .leftovers: "out of service (what was stopped there may still run)"
        case .diskFull: "out of service (its disk is full)"
        }
    }
}
