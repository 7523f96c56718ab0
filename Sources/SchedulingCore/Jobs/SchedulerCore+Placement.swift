// What starts next, and where. One decision is one bulk placement: gangs of one job, of one class, on one node; the
// loop folds it and asks again.

public import ClusterModel
import Placement

extension SchedulerCore {
    /// The next placement, or nil when nothing that waits fits anywhere. Changes only the cursor.
    borrowing func decidePlacement(_ cursor: inout RoundCursor, at now: LogicalTime) -> Event? {
        while let (lane, id) = cursor.next(in: queue, of: self) {
            guard let row = jobs[id] else { return nil }
            guard let ready = row.readySet(at: now), row.startAllowance > 0 else {
                cursor.skip(id, in: lane)
                continue
            }
            if let placed = place(row, id: id, from: row.waiting[ready], &cursor, at: now) { return .unitsPlaced(placed) }
            cursor.block(lane.shape)
        }
        return nil
    }

    private borrowing func place(
        _ row: JobRow, id: JobID, from set: WaitingUnits, _ cursor: inout RoundCursor, at now: LogicalTime
    ) -> PlacedUnits? {
        guard let shape = shapes[row.shape]?.shape else { return nil }
        let gang = cursor.gang(of: row.shape, shape)
        var fence = lastFence
        var units: [PlacedUnits.Unit] = []
        if row.gangSize == 1 {
            let limit = min(row.startAllowance, Int(clamping: set.units.count), SchedulerLimits.unitsPerPlacement)
            var ordinal: UInt64 = 0
            let places = gang.isSpread ? [cursor.spread(gang, of: id, self)].compactMap(\.self) : cursor.fleet.place(gang, limit: limit)
            for place in places {
                guard let next = set.units.first(from: ordinal) else { break }
                fence += 1
                let held = PlacedUnits.Place(node: place.node, fence: Fence(fence), allocation: place.allocation)
                units.append(PlacedUnits.Unit(ordinal: UInt32(next), attempt: set.attempt, places: [held]))
                ordinal = next + 1
            }
        } else if let first = set.units.first, let places = cursor.fleet.placeGang(gang) {
            let held = places.map { place in
                fence += 1
                return PlacedUnits.Place(node: place.node, fence: Fence(fence), allocation: place.allocation)
            }
            units.append(PlacedUnits.Unit(ordinal: UInt32(first), attempt: set.attempt, places: held))
        }
        return units.isEmpty ? nil : PlacedUnits(job: id, units: units, at: now)
    }

    mutating func evolvePlaced(_ placed: PlacedUnits, _ changes: inout Changes) {
        advance(to: placed.at)
        for unit in placed.units {
            for (rank, place) in unit.places.enumerated() {
                lastFence = max(lastFence, place.fence.value)
                offers.update(place.node) { $0.take(place.allocation) }
                let index = unit.ordinal * UInt32(unit.places.count) + UInt32(rank)
                let attempt = AttemptID(job: placed.job, index: index, number: unit.attempt)
                _ = nodes.update(place.node) { $0.liveAttempts.insert(attempt) }
                changes.add(
                    .attemptPlaced(
                        AttemptPlacement(
                            attempt: attempt, node: place.node, fence: place.fence, allocation: place.allocation, at: placed.at)))
            }
        }
        _ = jobs.update(placed.job) { row in
            for unit in placed.units {
                let reason = row.unwait(unit.ordinal, attempt: unit.attempt)
                let tasks = unit.places.map {
                    LiveTask(
                        node: $0.node, fence: $0.fence, slot: $0.fence, allocation: $0.allocation, phase: .starting,
                        segmentStart: placed.at,
                        segmentNumber: 0)
                }
                row.live[unit.ordinal] = LiveUnit(attempt: unit.attempt, restartReason: reason, tasks: tasks)
                row.counts.queued -= UInt32(tasks.count)
                row.counts.starting += UInt32(tasks.count)
            }
        }
        for unit in placed.units where unit.places.count == 1 { changes.slotMoved(placed.job, to: unit.ordinal) }
        requeue(placed.job)
        changes.touch(placed.job)
    }

    /// Keeps the queue to exactly the jobs that have something to start now. Called after each change of a job.
    mutating func requeue(_ id: JobID) {
        guard let row = jobs[id] else { return }
        if row.readySet(at: time) != nil {
            queue.insert(id, in: row.lane)
        } else {
            queue.remove(id, from: row.lane)
        }
    }

    // MARK: Time

    /// When the core wants a `tick`, at the latest.
    public var nextWake: LogicalTime? {
        var wake = alarms.earliest
        if let drain = drainDeadlines.earliest { wake = wake.map { min($0, drain) } ?? drain }
        if let cut = nextHourCut { wake = wake.map { min($0, cut) } ?? cut }
        return wake
    }

    func decideTick(at now: LogicalTime) -> Decided {
        var decided = Decided()
        if let earliest = alarms.earliest, earliest <= now { decided.events.append(.timersDue(at: now)) }
        let drained = drainDeadlines.due(at: now)
        if !drained.isEmpty { appendEviction(from: drained, at: now, &decided.events) }
        if let cut = nextHourCut, cut <= now {
            // After a long sleep the missed hours are cut one by one, so that no segment spans two of them.
            var hour = cut
            while hour <= now {
                decided.events.append(.hourCut(at: hour))
                hour = hour + .hour
            }
            decided.events.append(
                .idempotencyExpired(
                    through: LogicalTime(
                        nanoseconds: now.nanoseconds - SchedulerLimits.idempotencyLifetime.nanoseconds)))
        }
        return decided
    }

    mutating func evolveTimersDue(at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        for job in alarms.remove(through: at) {
            requeue(job)
            changes.touch(job)
        }
    }
}
