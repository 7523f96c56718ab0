// What starts next, and where. One decision is one bulk placement: gangs of one job, of one class, on one node; the
// loop folds it and asks again.

public import ClusterModel
import Placement

/// What a search for room led to.
enum Found<Value> {
    case found(Value)
    /// There is no room.
    case none
    /// There is room, and its account may not have it.
    case limited(QuotaMiss.Limit)
}

extension SchedulerCore {
    /// The next placement, or nil when nothing that waits fits anywhere. Changes only the cursor.
    borrowing func decidePlacement(_ cursor: inout RoundCursor, at now: LogicalTime) -> Event? {
        if let (id, places) = cursor.reservedStart(of: self, at: now), let row = jobs[id], let ready = row.readySet(at: now),
            quotaMiss(of: row, places.prefix(Int(row.gangSize))) == nil
        {
            return .unitsPlaced(units(of: id, row.gangSize == 1 ? Array(places.prefix(1)) : places, as: row.waiting[ready], row, at: now))
        }
        while let (lane, id) = cursor.next(of: self, at: now) {
            guard let row = jobs[id] else { return nil }
            guard let ready = row.readySet(at: now), row.startAllowance > 0 else {
                cursor.skip(id, in: lane)
                continue
            }
            if let miss = quotaMiss(of: row) {
                cursor.park(lane, under: miss.limit)
                continue
            }
            switch place(row, id: id, from: row.waiting[ready], &cursor, at: now) {
            case .found(let placed): return .unitsPlaced(placed)
            case .none: cursor.giveUp(lane, self, at: now)
            case .limited(let limit): cursor.park(lane, under: limit, isByGrant: true)
            }
        }
        return nil
    }

    private borrowing func place(
        _ row: JobRow, id: JobID, from set: WaitingUnits, _ cursor: inout RoundCursor, at now: LogicalTime
    ) -> Found<PlacedUnits> {
        guard let shape = shapes[row.shape]?.shape else { return .none }
        let gang = cursor.gang(of: row.shape, shape)
        let limit = min(row.startAllowance, Int(clamping: set.units.count), SchedulerLimits.unitsPerPlacement)
        var places: [TaskPlace] = []
        let isBlocked = cursor.isBlocked(row.shape)
        if isBlocked {
            // All that is left to try is room that is set aside for others.
        } else if row.gangSize > 1 {
            places = cursor.fleet.placeGang(gang) ?? []
        } else if gang.isSpread {
            places = [cursor.spread(gang, of: id, self)].compactMap(\.self)
        } else {
            places = cursor.fleet.place(gang, limit: limit)
        }
        let applicant = limitedApplicant(row)
        if places.isEmpty, !cursor.reservations.isEmpty {
            let isGuaranteed = isWithinGuarantee(applicant, at: now)
            let bound = isGuaranteed ? nil : outlook(of: row).bound
            if isGuaranteed || bound != nil {
                let limit = isGuaranteed ? 1 : limit
                places = cursor.reservations.backfill(row.shape, shape, lasting: bound, limit: limit, at: now) ?? []
            }
        }
        switch allowed(places, to: applicant, mayChoose: !isBlocked, &cursor.fleet) {
        case .found(let places): return .found(units(of: id, places, as: set, row, at: now))
        case .none: return .none
        case .limited(let limit): return .limited(limit)
        }
    }

    /// As many whole gangs of what was found as limits leave; or one in a way that it likes less, or on another model of devices: what it
    /// likes best its account may not have.
    ///
    /// - Parameters:
    ///   - applicant: nil where nothing limits it.
    ///   - mayChoose: there may be room for it in other ways.
    borrowing func allowed(
        _ places: [TaskPlace], to applicant: Applicant?, mayChoose: Bool, _ fleet: inout Fleet
    ) -> Found<[TaskPlace]> {
        guard !places.isEmpty else { return .none }
        guard let applicant, let miss = quotaMiss(of: applicant, places) else { return .found(places) }
        let size = Int(applicant.shape.gangSize)
        var (few, many) = (0, places.count / size)
        while few < many {
            let half = (few + many + 1) / 2
            if quotaMiss(of: applicant, places.prefix(half * size)) == nil { few = half } else { many = half - 1 }
        }
        if few > 0 { return .found(Array(places.prefix(few * size))) }
        for narrower in mayChoose ? narrower(of: applicant) : [] {
            let gang = fleet.shape(of: narrower)
            let places = size > 1 ? fleet.placeGang(gang) ?? [] : fleet.place(gang, limit: 1)
            if !places.isEmpty, quotaMiss(of: applicant, places) == nil { return .found(places) }
        }
        return .limited(miss.limit)
    }

    /// The first waiting gangs of a set, in these places.
    private borrowing func units(
        of id: JobID, _ places: [TaskPlace], as set: WaitingUnits, _ row: JobRow, at now: LogicalTime
    ) -> PlacedUnits {
        var placed = PlacedUnits(job: id, units: [], at: now)
        var next = set.units.first
        for start in stride(from: 0, to: places.count, by: Int(row.gangSize)) {
            guard let ordinal = next else { break }
            let held = (start..<start + Int(row.gangSize)).map { index in
                PlacedUnits.Place(
                    node: places[index].node, fence: Fence(lastFence + 1 + UInt64(index)), allocation: places[index].allocation)
            }
            placed.units.append(PlacedUnits.Unit(ordinal: UInt32(ordinal), attempt: set.attempt, places: held))
            next = set.units.first(from: ordinal + 1)
        }
        return placed
    }

    mutating func evolvePlaced(_ placed: PlacedUnits, _ changes: inout Changes) {
        advance(to: placed.at)
        if let row = jobs[placed.job] {
            if !row.hasBegun {
                countQueuedJob(-1, of: row.account)
                unwatchExpiry(of: placed.job, row)
                var begun = row
                begun.hasBegun = true
                watchExpiry(of: placed.job, begun)
            }
            charge(
                1, placed.units.flatMap { $0.places.map { TaskPlace(node: $0.node, allocation: $0.allocation) } }, of: row, at: placed.at)
        }
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
            row.hasBegun = true
            for unit in placed.units {
                let reason = row.unwait(unit.ordinal, attempt: unit.attempt)
                let tasks = unit.places.map {
                    LiveTask(
                        node: $0.node, fence: $0.fence, slot: $0.fence, allocation: $0.allocation, phase: .starting,
                        heldSince: placed.at, segmentStart: placed.at, segmentNumber: 0)
                }
                row.live[unit.ordinal] = LiveUnit(attempt: unit.attempt, restartReason: reason, tasks: tasks)
                row.counts.queued -= UInt32(tasks.count)
                row.counts.starting += UInt32(tasks.count)
            }
        }
        for unit in placed.units where unit.places.count == 1 { changes.slotMoved(placed.job, to: unit.ordinal) }
        settleClaim(of: placed.job, placed: placed.units.count)
        requeue(placed.job)
        changes.touch(placed.job)
    }

    /// Keeps the queue to exactly the jobs that have something to start now. Called after each change of a job.
    mutating func requeue(_ id: JobID) {
        guard let row = jobs[id] else { return }
        if row.readySet(at: time) != nil {
            if queue.insert(id, in: row.lane) { accounts.countLane(1, priority: row.specification.priority, of: row.account) }
        } else {
            leaveQueue(id, row)
        }
    }

    mutating func leaveQueue(_ id: JobID, _ row: JobRow) {
        if queue.remove(id, from: row.lane) { accounts.countLane(-1, priority: row.specification.priority, of: row.account) }
    }

    // MARK: Time

    /// When the core wants a `tick`, at the latest.
    public var nextWake: LogicalTime? {
        var wake = alarms.earliest
        if let expiry = expiries.earliest { wake = wake.map { min($0, expiry) } ?? expiry }
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
