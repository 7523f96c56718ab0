// The state as canonical bytes: what snapshots hold and what digests are taken over. Look-up tables are rebuilt, not
// written, so they cannot disagree with what they index.

public import ClusterModel
import Placement

extension SchedulerCore {
    /// Form of the bytes below; a reader refuses a newer one. Level 2 added run-ahead; level 3 where nodes belong, what draining
    /// takes, specifications of form 2, secrets, data sets and restores; level 4 what leases leave behind; level 5
    /// later forms of specifications, requests, inventories, memberships and allocations, which say themselves what they are; level 6
    /// the rules, how long runs took, and since when cut tasks hold their slots; level 7 what devices price at, tenants, projects, queues and
    /// quotas, what accounts held, and room that was taken for somebody; level 8 how jobs expired, were let go and were tried again and what they had done;
    /// level 9 users among the objects, and when gangs wrote their last checkpoints.
    public static let snapshotLevel: UInt32 = 9

    public func snapshot() -> [UInt8] {
        var writer = CanonicalWriter(reservingCapacity: 1 << 16)
        writer.write(Self.snapshotLevel)
        writer.write(bytes: clusterID)
        writer.write(epoch)
        writer.write(revision)
        writer.write(time)
        for counter in [lastJob, lastNode, lastFence, lastSession, lastShape] { writer.write(counter) }
        writer.write(UInt64(jobs.count))
        for id in jobs.ids {
            writer.write(id)
            if let row = jobs[id] { writer.write(row) }
        }
        writer.write(UInt64(shapes.count))
        for id in shapes.ids {
            writer.write(id)
            if let interned = shapes[id] { writer.write(interned.shape) }
        }
        writer.write(succeededJobs)
        writer.write(failedJobs)
        writer.write(cancelledJobs)
        let alarms = alarms.all
        writer.write(UInt64(alarms.count))
        for alarm in alarms {
            writer.write(alarm.at)
            writer.write(alarm.job)
        }
        writer.write(UInt64(keyOrder.count))
        for id in keyOrder {
            guard let row = submissionKeys[id] else { continue }
            writer.write(id.tenant)
            writer.write(id.text)
            writer.write(bytes: row.requestDigest)
            writer.write(row.job)
            writer.write(row.acceptedAt)
        }
        writer.write(UInt64(nodes.count))
        for id in nodes.ids {
            guard let row = nodes[id] else { continue }
            writer.write(id)
            writer.write(row)
            writer.write(offers[id]?.inventory)
        }
        writer.write(joinTokens.values.sorted { $0.id.lexicographicallyPrecedes($1.id) })
        writer.write(keys.values.sorted { $0.id < $1.id })
        writer.write(nextHourCut)
        writeRunAhead(to: &writer)
        writePreemptions(to: &writer)
        writeHoldings(to: &writer)
        writer.write(restoredFence)
        writer.write(restoredSession)
        writer.write(isOutdated)
        writer.write(leadershipRevision)
        writer.write(rules)
        runTimes.write(to: &writer)
        writeCutTasks(to: &writer)
        writer.write(shareObjects.keys.sorted().compactMap { shareObjects[$0] })
        writer.write(accounts.remembered)
        writer.write(UInt64(preemptionClaims.count))
        for job in preemptionClaims.ids {
            writer.write(job)
            if let claim = preemptionClaims[job] { writer.write(claim) }
        }
        writeTimes(to: &writer)
        return writer.bytes
    }

    public init(snapshot bytes: [UInt8]) throws(CanonicalError) {
        self.init()
        var reader = CanonicalReader(bytes)
        let level = try reader.readUInt32()
        guard (1...Self.snapshotLevel).contains(level) else {
            throw .malformed("snapshot level \(level); this build reads 1 to \(Self.snapshotLevel)")
        }
        clusterID = try reader.readBytes()
        epoch = try reader.read()
        revision = try reader.readUInt64()
        time = try reader.read()
        lastJob = try reader.readUInt64()
        lastNode = try reader.readUInt64()
        lastFence = try reader.readUInt64()
        lastSession = try reader.readUInt64()
        lastShape = try reader.readUInt64()
        try readJobs(&reader)
        try readKeys(&reader)
        try readNodes(&reader, level: level)
        for _ in 0..<(try reader.readCount()) {
            let token: JoinTokenRecord = level >= 3 ? try reader.read() : try .withoutMembership(&reader)
            joinTokens[token.id] = token
        }
        for key in try reader.readList(AccessKey.self) { keys[key.id] = key }
        if level < 9 {
            for _ in 0..<(try reader.readCount()) {
                let user = try UserRecord.withoutWeight(&reader)
                shareObjects[ShareObjectID(.user, user.name)] = .user(user)
            }
        }
        nextHourCut = try reader.readOptional()
        if level >= 2 { try readRunAhead(&reader) }
        if level >= 3 {
            try readPreemptions(&reader)
            try readHoldings(&reader)
            restoredFence = try reader.read()
        }
        if level >= 4 {
            restoredSession = try reader.read()
            isOutdated = try reader.readBool()
            leadershipRevision = try reader.readUInt64()
        } else if restoredFence > Fence(0) {
            restoredSession = SessionID(lastSession)
        }
        if level >= 6 {
            rules = try reader.readUInt32()
            runTimes = try RunTimeTable(from: &reader)
            try readCutTasks(&reader)
        }
        if level >= 7 { try readShares(&reader) }
        if level >= 8 { try readTimes(&reader, level: level) }
        try reader.finish()
        reindex()
    }

    /// For each job: the expected length of a task, who holds a slot that another was placed for, who is lined up.
    private func writeRunAhead(to writer: inout CanonicalWriter) {
        for id in jobs.ids {
            guard let row = jobs[id] else { continue }
            writer.write(row.expectedLength)
            let heirs = row.liveOrdinals.filter { row.live[$0]!.tasks[0].slot != row.live[$0]!.tasks[0].fence }
            writer.write(UInt64(heirs.count))
            for ordinal in heirs {
                writer.write(ordinal)
                writer.write(row.live[ordinal]!.tasks[0].slot)
            }
            writer.write(UInt64(row.successors.slots.count))
            for slot in row.successors.slots {
                writer.write(slot)
                writer.write(row.successors[slot])
            }
        }
    }

    private mutating func readRunAhead(_ reader: inout CanonicalReader) throws(CanonicalError) {
        for id in jobs.ids {
            guard var row = jobs[id] else { continue }
            row.expectedLength = try reader.readOptional()
            for _ in 0..<(try reader.readCount()) {
                let ordinal = try reader.readUInt32()
                let slot: Fence = try reader.read()
                guard row.live[ordinal] != nil else { throw .malformed("job \(id) has no live gang \(ordinal)") }
                row.live[ordinal]!.tasks[0].slot = slot
            }
            // Who holds a slot follows from the live tasks.
            let holders = Dictionary(row.live.map { ($1.tasks[0].slot, $0) }, uniquingKeysWith: min)
            for _ in 0..<(try reader.readCount()) {
                let slot: Fence = try reader.read()
                guard let holder = holders[slot] else { throw .malformed("slot \(slot) of job \(id) has successors and no holder") }
                for successor in try reader.readList(Successor.self) { row.successors.append(successor, to: slot, heldBy: holder) }
            }
            jobs.set(row, for: id)
        }
    }

    private mutating func readJobs(_ reader: inout CanonicalReader) throws(CanonicalError) {
        for _ in 0..<(try reader.readCount()) {
            let id: JobID = try reader.read()
            jobs.set(try reader.read(), for: id)
        }
        for _ in 0..<(try reader.readCount()) {
            let id: RequestClassID = try reader.read()
            let shape: RequestClass = try reader.read()
            shapes.set(InternedShape(shape: shape, jobCount: 0), for: id)
            shapeIDs[shape] = id
        }
        succeededJobs = try reader.read()
        failedJobs = try reader.read()
        cancelledJobs = try reader.read()
        for _ in 0..<(try reader.readCount()) {
            let instant: LogicalTime = try reader.read()
            alarms.insert(try reader.read(), at: instant)
        }
    }

    private mutating func readKeys(_ reader: inout CanonicalReader) throws(CanonicalError) {
        for _ in 0..<(try reader.readCount()) {
            let id = SubmissionKeyID(tenant: try reader.readString(), text: try reader.readString())
            submissionKeys[id] = SubmissionKeyRow(
                requestDigest: try reader.readBytes(), job: try reader.read(), acceptedAt: try reader.read())
            keyOrder.append(id)
            keyCounts[id.tenant, default: 0] += 1
        }
    }

    /// For each job: how often gangs of it were preempted.
    private func writePreemptions(to writer: inout CanonicalWriter) {
        for id in jobs.ids {
            let preemptions = jobs[id]?.history.preemptions ?? [:]
            writer.write(UInt64(preemptions.count))
            for ordinal in preemptions.keys.sorted() {
                writer.write(ordinal)
                writer.write(preemptions[ordinal]!)
            }
        }
    }

    private mutating func readPreemptions(_ reader: inout CanonicalReader) throws(CanonicalError) {
        for id in jobs.ids {
            var preemptions: [UInt32: UInt32] = [:]
            for _ in 0..<(try reader.readCount()) {
                let ordinal = try reader.readUInt32()
                preemptions[ordinal] = try reader.readUInt32()
            }
            if !preemptions.isEmpty { _ = jobs.update(id) { $0.history.preemptions = preemptions } }
        }
    }

    /// For each job: since when its tasks hold their slots whose segments no longer say it.
    private func writeCutTasks(to writer: inout CanonicalWriter) {
        for id in jobs.ids {
            guard let row = jobs[id] else { continue }
            for ordinal in row.liveOrdinals {
                for task in row.live[ordinal]?.tasks ?? [] where task.segmentNumber > 0 { writer.write(task.heldSince) }
            }
        }
    }

    private mutating func readCutTasks(_ reader: inout CanonicalReader) throws(CanonicalError) {
        for id in jobs.ids {
            guard var row = jobs[id] else { continue }
            for ordinal in row.liveOrdinals {
                for rank in row.live[ordinal]!.tasks.indices where row.live[ordinal]!.tasks[rank].segmentNumber > 0 {
                    row.live[ordinal]!.tasks[rank].heldSince = try reader.read()
                }
            }
            jobs.set(row, for: id)
        }
    }

    /// Of jobs that say anything of it: as what they expired, when they were let go, how often gangs ended by causes with limits, what those
    /// had done that were preempted, and when living ones wrote checkpoints.
    private func writeTimes(to writer: inout CanonicalWriter) {
        let ids = jobs.ids.filter { jobs[$0]?.hasHistory ?? false }
        writer.write(UInt64(ids.count))
        for id in ids {
            guard let row = jobs[id] else { continue }
            writer.write(id)
            writer.write(row.history.expiry)
            writer.write(row.history.releasedAt)
            writer.write(UInt64(row.history.causes.count))
            for ordinal in row.history.causes.keys.sorted() {
                let counts = row.history.causes[ordinal] ?? [:]
                writer.write(ordinal)
                let causes = counts.keys.sorted { $0.rawValue < $1.rawValue }
                writer.write(causes.map { RetryPolicy.CauseLimit(cause: $0, limit: counts[$0] ?? 0) })
            }
            writer.write(UInt64(row.history.progress.count))
            for ordinal in row.history.progress.keys.sorted() {
                writer.write(ordinal)
                writer.write(row.history.progress[ordinal] ?? .zero)
            }
            writer.write(UInt64(row.history.checkpoints.count))
            for ordinal in row.history.checkpoints.keys.sorted() {
                writer.write(ordinal)
                writer.write(row.history.checkpoints[ordinal])
            }
        }
    }

    private mutating func readTimes(_ reader: inout CanonicalReader, level: UInt32) throws(CanonicalError) {
        for _ in 0..<(try reader.readCount()) {
            let id: JobID = try reader.read()
            guard var row = jobs[id] else { throw .malformed("times of job \(id), which is not there") }
            row.history.expiry = try reader.readOptional()
            row.history.releasedAt = try reader.readOptional()
            for _ in 0..<(try reader.readCount()) {
                let ordinal = try reader.readUInt32()
                for count in try reader.readList(RetryPolicy.CauseLimit.self) {
                    row.history.causes[ordinal, default: [:]][count.cause] = count.limit
                }
            }
            for _ in 0..<(try reader.readCount()) {
                let ordinal = try reader.readUInt32()
                row.history.progress[ordinal] = try reader.read()
            }
            for _ in 0..<(level >= 9 ? try reader.readCount() : 0) {
                let ordinal = try reader.readUInt32()
                row.history.checkpoints[ordinal] = try reader.readOptional()
            }
            jobs.set(row, for: id)
        }
    }

    private mutating func readNodes(_ reader: inout CanonicalReader, level: UInt32) throws(CanonicalError) {
        for _ in 0..<(try reader.readCount()) {
            let id: NodeID = try reader.read()
            let row = try NodeRow(from: &reader, level: level)
            let inventory: NodeInventory? = try reader.readOptional()
            nodes.set(row, for: id)
            nodeIDsByKey[row.publicKey] = id
            nodeIDsByName[row.name] = id
            followCenter(of: row.membership, isGone: false)
            if let drain = row.drain, !drain.isDue { drainDeadlines.set(drain.deadline, for: id) }
            guard let inventory else { continue }
            var offer = NodeOffer(inventory: inventory, outage: row.outage)
            for slot in row.dirtySlots { if let allocation = slot.allocation { offer.take(allocation) } }
            offers.set(offer, for: id)
            strengthTotal += row.strengths.reduce(0, +)
        }
    }

    /// Before jobs are counted under them.
    private mutating func readShares(_ reader: inout CanonicalReader) throws(CanonicalError) {
        for object in try reader.readList(ShareObject.self) { shareObjects[object.id] = object }
        accounts.remember(try reader.readList())
        describeShares()
        for _ in 0..<(try reader.readCount()) {
            let job: JobID = try reader.read()
            preemptionClaims.set(try reader.read(), for: job)
        }
    }

    /// Queue, dependents, shape counts, what nodes hold: all follow from the job rows.
    private mutating func reindex() {
        for id in jobs.ids {
            guard let row = jobs[id] else { continue }
            _ = shapes.update(row.shape) { $0.jobCount += 1 }
            let account = enterAccount(row.specification, user: row.user)
            _ = jobs.update(id) {
                $0.account = account
                // Of a job that nothing was ever placed of, all tasks wait for their first try.
                $0.hasBegun = row.counts.queued < row.specification.taskCount || row.waiting.contains { $0.attempt > 1 }
            }
            if let row = jobs[id] {
                charge(1, heldPlaces(of: row), of: row, at: nil)
                if !row.hasBegun { countQueuedJob(1, of: row.account) }
            }
            if let row = jobs[id] { watchExpiry(of: id, row) }
            for dependency in row.unmetDependencies { dependents[dependency.job, default: []].append(id) }
            for ordinal in row.liveOrdinals {
                guard let unit = row.live[ordinal] else { continue }
                for (rank, task) in unit.tasks.enumerated() {
                    if case .ended = task.phase { continue }
                    offers.update(task.node) { $0.take(task.allocation) }
                    let attempt = AttemptID(job: id, index: ordinal * row.gangSize + UInt32(rank), number: unit.attempt)
                    _ = nodes.update(task.node) { $0.liveAttempts.insert(attempt) }
                }
            }
            for slot in row.successors.slots {
                for successor in row.successors[slot] {
                    let attempt = AttemptID(job: id, index: successor.ordinal, number: successor.attempt)
                    _ = nodes.update(successor.node) { $0.liveAttempts.insert(attempt) }
                }
            }
            requeue(id)
        }
    }
}
