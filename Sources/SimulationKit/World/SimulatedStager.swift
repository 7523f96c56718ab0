import AgentCore
import ClusterModel

/// What moves files on a simulated node: it takes its time, fails now and then, and forgets all when the agent dies.
struct SimulatedStager {
    private struct Errand {
        var attempt: AttemptID
        var fence: Fence
        var isCollection: Bool
        var due: Int64
    }

    private var chance: SeededGenerator
    private var errands: [Errand] = []

    init(chance: SeededGenerator) { self.chance = chance }

    var nextEnd: Int64? { errands.map(\.due).min() }

    mutating func stage(_ orders: [StageOrder], at now: Int64) {
        for order in orders { begin(order.attempt, order.fence, isCollection: false, at: now) }
    }

    mutating func collect(_ attempt: AttemptID, _ fence: Fence, at now: Int64) { begin(attempt, fence, isCollection: true, at: now) }

    private mutating func begin(_ attempt: AttemptID, _ fence: Fence, isCollection: Bool, at now: Int64) {
        errands.append(
            Errand(attempt: attempt, fence: fence, isCollection: isCollection, due: now + chance.between(1_000_000, 2_000_000_000)))
    }

    mutating func abandon(_ attempt: AttemptID) { errands.removeAll { $0.attempt == attempt } }
    mutating func crash() { errands.removeAll() }

    mutating func advance(to now: Int64) -> [StagingEvent] {
        let due = errands.filter { $0.due <= now }
        errands.removeAll { $0.due <= now }
        return due.map { errand in
            if chance.chance(milli: 50) { return .failed(errand.attempt, errand.fence, problem: "the file is gone") }
            guard errand.isCollection else { return .staged(errand.attempt, errand.fence) }
            return .collected(errand.attempt, errand.fence, problem: chance.chance(milli: 50) ? "there is no 'results'" : "")
        }
    }
}
