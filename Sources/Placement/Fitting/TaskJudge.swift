import ClusterModel

/// Judges many nodes for one task: what it means on nodes that are alike is worked out once. Says what `NodeOffer.fit` says.
struct TaskJudge {
    private let choices: [TaskShape]
    /// Nodes that are alike are not alike to it.
    let namesNodes: Bool
    /// By kind of node, then by choice.
    private var known: [Int: [Result<Suitability, Misfit>]] = [:]

    init(_ resources: ResourceRequest, _ constraints: [Constraint]) {
        choices = resources.choices.map { TaskShape($0, constraints) }
        namesNodes = choices[0].namesNodes
    }

    /// nil: it fits in one of its ways; otherwise why not in the one that it likes best.
    mutating func misfit(of offer: borrowing NodeOffer, kind: Int) -> Misfit? {
        if let outage = offer.outage { return .outOfService(outage) }
        var first: Misfit?
        for result in namesNodes ? judged(offer.inventory) : suitabilities(on: offer.inventory, kind: kind) {
            let misfit: Misfit?
            switch result {
            case .success(let suitability): misfit = suitability.misfit(in: offer.room)
            case .failure(let failure): misfit = failure
            }
            guard let misfit else { return nil }
            if first == nil { first = misfit }
        }
        return first
    }

    private mutating func suitabilities(on inventory: NodeInventory, kind: Int) -> [Result<Suitability, Misfit>] {
        if let known = known[kind] { return known }
        let made = judged(inventory)
        known[kind] = made
        return made
    }

    private func judged(_ inventory: NodeInventory) -> [Result<Suitability, Misfit>] {
        choices.map { shape in
            do throws(Misfit) { return .success(try Suitability(of: shape, on: inventory)) } catch { return .failure(error) }
        }
    }
}
