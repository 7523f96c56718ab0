// Exclusion on a node: what an attempt that was given up may still hold there, nobody else gets. A lease ends attempts;
// only the node's own word, another boot of it, or an administrator's says that its devices are free.

import ClusterModel
import Placement

extension SchedulerCore {
    // MARK: Decide

    /// The attempt ends without its node's word: whatever it holds there stays taken.
    func leaveBehind(_ attempt: AttemptID, _ task: LiveTask, row: JobRow, at now: LogicalTime) -> Event {
        let isHandedOver = !row.successors[task.slot].isEmpty
        return .attemptLeftBehind(
            LeftAttempt(
                attempt: attempt, node: task.node, fence: task.fence, slot: task.slot,
                holding: isHandedOver ? .nothing : .allocation(task.allocation), at: now))
    }

    /// What a registration says about dirty slots, of whichever boot: it is whole, so what it does not name as alive is gone, and what it names
    /// without the state's knowing of it holds nobody knows what.
    func decideDirtySlots(on node: NodeID, _ registration: Registration, at now: LogicalTime) -> Decided {
        guard let row = nodes[node] else { return Decided() }
        let alive = registration.attempts.filter(\.isLive)
        let aliveFences = Set(alive.map(\.fence))
        let known = row.dirtySlots.flatMap { $0.attempts.map(\.fence) }
        var events: [Event] = known.filter { !aliveFences.contains($0) }.map { .attemptGone(node, $0, at: now) }
        for status in alive where !known.contains(status.fence) && !holds(status, on: node) {
            events.append(
                .attemptLeftBehind(
                    LeftAttempt(
                        attempt: status.attempt, node: node, fence: status.fence, slot: status.fence, holding: .unknown, at: now)))
        }
        return Decided(events: events)
    }

    /// The state knows this very grant. Two times of a cluster may have given one number to grants on different nodes.
    private func holds(_ status: AttemptStatus, on node: NodeID) -> Bool {
        if let (_, _, rank, unit) = liveTask(status.attempt) {
            return unit.tasks[rank].node == node && unit.tasks[rank].fence == status.fence
        }
        return successor(status.attempt).map { $0.node == node && $0.fence == status.fence } ?? false
    }

    func isDirty(_ fence: Fence, on node: NodeID) -> Bool {
        nodes[node]?.dirtySlots.contains { $0.attempts.contains { $0.fence == fence } } ?? false
    }

    // MARK: Evolve

    mutating func evolveLeftBehind(_ left: LeftAttempt) {
        advance(to: left.at)
        var taken: Allocation?
        _ = nodes.update(left.node) { row in
            let attempt = DirtySlot.Attempt(fence: left.fence, id: left.attempt)
            let index = row.dirtySlots.firstIndex { $0.slot >= left.slot } ?? row.dirtySlots.count
            if index == row.dirtySlots.count || row.dirtySlots[index].slot != left.slot {
                row.dirtySlots.insert(DirtySlot(slot: left.slot, allocation: .none, attempts: []), at: index)
            }
            let place = row.dirtySlots[index].attempts.firstIndex { $0.fence > left.fence } ?? row.dirtySlots[index].attempts.count
            row.dirtySlots[index].attempts.insert(attempt, at: place)
            switch left.holding {
            case .nothing: row.dirtySlots[index].allocation = row.dirtySlots[index].allocation ?? Allocation(cpuMilli: 0, memoryBytes: 0)
            case .allocation(let allocation):
                row.dirtySlots[index].allocation = allocation
                taken = allocation
            case .unknown: break
            }
        }
        if let taken { offers.update(left.node) { $0.take(taken) } }
        refreshOffer(of: left.node)
    }

    mutating func evolveGone(_ fence: Fence, from node: NodeID, at: LogicalTime) {
        advance(to: at)
        var given: Allocation?
        _ = nodes.update(node) { row in
            guard let index = row.dirtySlots.firstIndex(where: { $0.attempts.contains { $0.fence == fence } }) else { return }
            row.dirtySlots[index].attempts.removeAll { $0.fence == fence }
            guard row.dirtySlots[index].attempts.isEmpty else { return }
            given = row.dirtySlots.remove(at: index).allocation
        }
        if let given { offers.update(node) { $0.give(given) } }
        refreshOffer(of: node)
    }
}
