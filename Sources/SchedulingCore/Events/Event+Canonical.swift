// Canonical bytes of events (Protocols/journal.md, "Events"): tag, version, fields in the order of the table there.
//
// A tag is never reused, a version never changes: a field more is a new version that is written from then on, while
// the older one is still read and filled up to the newest form here, so that `evolve` knows one form only.

public import ClusterModel

extension Event {
    /// The first byte of an event.
    enum Tag: UInt8 {
        case clusterFounded = 1
        case leadershipBegan = 2
        case jobAccepted = 3
        case jobCancelRequested = 4
        case waitingUnitsCancelled = 5
        case unitsPlaced = 6
        case attemptStarted = 7
        case unitStopRequested = 8
        case attemptEnded = 9
        case jobFinished = 10
        case idempotencyExpired = 11
        case nodeEnrolled = 12
        case nodeRegistered = 13
        case nodeSuspected = 14
        case nodeSilenced = 15
        case nodeCordoned = 16
        case nodeRemoved = 17
        case joinTokenCreated = 18
        case keyCreated = 19
        case keyRevoked = 20
        case userSet = 21
        case hourCut = 22
        case timersDue = 23
        case successorsGranted = 24
        case successorReturned = 25
        case nodeDrainBegan = 26
        case nodeDrainDue = 27
        case secretSet = 28
        case secretRemoved = 29
        case datasetCreated = 30
        case datasetRemoved = 31
        case clusterRestored = 32
        case attemptLeftBehind = 33
        case attemptGone = 34
        case nodeConfirmedDead = 35
        case nodeContested = 36
        case nodeQuarantined = 37
        case stateOutdated = 38
        case shareObjectSet = 39
        case shareObjectRemoved = 40
        case gangsPreempted = 41
        case jobUpdated = 42
        case jobExpired = 43
        case nodeMoved = 44
        case gangCheckpointed = 45

        /// The version that is written; all from 1 to this one are read.
        var newestVersion: UInt8 {
            switch self {
            // Version 2: specifications of form 2 (`JobSpecification`); where a node belongs; what it knows of sessions and of
            // itself. Then forms 3 of specifications and 2 of requests, inventories and memberships, which say it themselves.
            // Forms 4, 5 and 6 of specifications.
            case .jobAccepted: 6
            case .nodeEnrolled, .joinTokenCreated: 3
            // Version 4: what its devices price at.
            case .nodeRegistered: 4
            // Allocations of form 2, which say it themselves; users and pools.
            case .unitsPlaced, .attemptLeftBehind, .shareObjectSet: 2
            // The rules by which is folded what follows.
            case .leadershipBegan: 2
            default: 1
            }
        }
    }
}

extension CanonicalWriter {
    fileprivate mutating func write(_ tag: Event.Tag) {
        write(tag.rawValue)
        write(tag.newestVersion)
    }
}

extension Event: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        switch self {
        case .clusterFounded(let id, let at):
            writer.write(.clusterFounded)
            writer.write(bytes: id)
            writer.write(at)
        case .clusterRestored(let cluster): writer.write(.clusterRestored, cluster)
        case .leadershipBegan(let epoch, let rules, let at):
            writer.write(.leadershipBegan, epoch)
            writer.write(rules)
            writer.write(at)
        case .jobAccepted(let job): writer.write(.jobAccepted, job)
        case .jobCancelRequested(let job, let at): writer.write(.jobCancelRequested, job, at)
        case .waitingUnitsCancelled(let job, let at): writer.write(.waitingUnitsCancelled, job, at)
        case .unitsPlaced(let units): writer.write(.unitsPlaced, units)
        case .successorsGranted(let granted): writer.write(.successorsGranted, granted)
        case .successorReturned(let attempt, let node, let at):
            writer.write(.successorReturned, attempt)
            writer.write(node)
            writer.write(at)
        case .attemptStarted(let attempt, let elapsed, let at):
            writer.write(.attemptStarted, attempt)
            writer.write(elapsed)
            writer.write(at)
        case .gangCheckpointed(let checkpoint): writer.write(.gangCheckpointed, checkpoint)
        case .unitStopRequested(let unit): writer.write(.unitStopRequested, unit)
        case .gangsPreempted(let preemption): writer.write(.gangsPreempted, preemption)
        case .jobUpdated(let job, let update, let at):
            writer.write(.jobUpdated, job)
            writer.write(update)
            writer.write(at)
        case .jobExpired(let job, let reason, let at):
            writer.write(.jobExpired, job)
            writer.write(reason)
            writer.write(at)
        case .attemptEnded(let attempt): writer.write(.attemptEnded, attempt)
        case .jobFinished(let job): writer.write(.jobFinished, job)
        case .idempotencyExpired(let through): writer.write(.idempotencyExpired, through)
        case .nodeEnrolled, .nodeRegistered, .nodeSuspected, .nodeSilenced, .nodeCordoned, .nodeRemoved, .nodeDrainBegan, .nodeDrainDue,
            .nodeMoved:
            writeNode(to: &writer)
        case .attemptLeftBehind, .attemptGone, .nodeConfirmedDead, .nodeContested, .nodeQuarantined, .stateOutdated:
            writeLease(to: &writer)
        case .joinTokenCreated(let token): writer.write(.joinTokenCreated, token)
        case .keyCreated(let key): writer.write(.keyCreated, key)
        case .keyRevoked(let key, let at): writer.write(.keyRevoked, key, at)
        case .userSet(let user, let at):
            writer.write(.userSet)
            writer.write(user.name)
            writer.write(user.account)
            writer.write(at)
        case .hourCut(let at): writer.write(.hourCut, at)
        case .secretSet(let secret): writer.write(.secretSet, secret)
        case .secretRemoved(let tenant, let name, let at): writer.write(.secretRemoved, [tenant, name], at)
        case .datasetCreated(let dataset): writer.write(.datasetCreated, dataset)
        case .datasetRemoved(let tenant, let name, let version, let at): writer.write(.datasetRemoved, [tenant, name, version], at)
        case .shareObjectSet(let object, let at): writer.write(.shareObjectSet, object, at)
        case .shareObjectRemoved(let id, let at): writer.write(.shareObjectRemoved, id, at)
        case .timersDue(let at): writer.write(.timersDue, at)
        }
    }

    /// What becomes of nodes.
    private func writeNode(to writer: inout CanonicalWriter) {
        switch self {
        case .nodeEnrolled(let node): writer.write(.nodeEnrolled, node)
        case .nodeRegistered(let node): writer.write(.nodeRegistered, node)
        case .nodeSuspected(let node, let at): writer.write(.nodeSuspected, node, at)
        case .nodeSilenced(let node, let lastHeard, let at):
            writer.write(.nodeSilenced, node)
            writer.write(lastHeard)
            writer.write(at)
        case .nodeCordoned(let node, let isCordoned, let at):
            writer.write(.nodeCordoned, node)
            writer.write(isCordoned)
            writer.write(at)
        case .nodeRemoved(let node, let at): writer.write(.nodeRemoved, node, at)
        case .nodeDrainBegan(let node, let deadline, let at):
            writer.write(.nodeDrainBegan, node)
            writer.write(deadline)
            writer.write(at)
        case .nodeDrainDue(let node, let at): writer.write(.nodeDrainDue, node, at)
        case .nodeMoved(let node, let pool, let at):
            writer.write(.nodeMoved, node)
            writer.write(pool)
            writer.write(at)
        default: break
        }
    }

    /// What leases leave behind, and who speaks as whom.
    private func writeLease(to writer: inout CanonicalWriter) {
        switch self {
        case .attemptLeftBehind(let left): writer.write(.attemptLeftBehind, left)
        case .attemptGone(let node, let fence, let at):
            writer.write(.attemptGone, node)
            writer.write(fence)
            writer.write(at)
        case .nodeConfirmedDead(let node, let at): writer.write(.nodeConfirmedDead, node, at)
        case .nodeContested(let contest): writer.write(.nodeContested, contest)
        case .nodeQuarantined(let node, let at): writer.write(.nodeQuarantined, node, at)
        case .stateOutdated(let node, let session, let at):
            writer.write(.stateOutdated, node)
            writer.write(session)
            writer.write(at)
        default: break
        }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let rawTag = try reader.readUInt8()
        guard let tag = Tag(rawValue: rawTag) else { throw .malformed("unknown event tag \(rawTag)") }
        let version = try reader.readUInt8()
        guard (1...tag.newestVersion).contains(version) else {
            throw .malformed("unknown version \(version) of event \(tag); this build reads 1 to \(tag.newestVersion)")
        }
        switch tag {
        case .clusterFounded: self = .clusterFounded(id: try reader.readBytes(), at: try reader.read())
        case .clusterRestored: self = .clusterRestored(try reader.read())
        case .leadershipBegan:
            self = .leadershipBegan(try reader.read(), rules: version == 1 ? 0 : try reader.readUInt32(), at: try reader.read())
        case .jobAccepted: self = .jobAccepted(try reader.read())
        case .jobCancelRequested: self = .jobCancelRequested(try reader.read(), at: try reader.read())
        case .waitingUnitsCancelled: self = .waitingUnitsCancelled(try reader.read(), at: try reader.read())
        case .unitsPlaced: self = .unitsPlaced(try reader.read())
        case .successorsGranted: self = .successorsGranted(try reader.read())
        case .successorReturned: self = .successorReturned(try reader.read(), from: try reader.read(), at: try reader.read())
        case .attemptStarted:
            self = .attemptStarted(try reader.read(), elapsed: try reader.read(), at: try reader.read())
        case .unitStopRequested: self = .unitStopRequested(try reader.read())
        case .gangCheckpointed: self = .gangCheckpointed(try reader.read())
        case .gangsPreempted: self = .gangsPreempted(try reader.read())
        case .jobUpdated: self = .jobUpdated(try reader.read(), try reader.read(), at: try reader.read())
        case .jobExpired: self = .jobExpired(try reader.read(), try reader.read(), at: try reader.read())
        case .attemptEnded: self = .attemptEnded(try reader.read())
        case .jobFinished: self = .jobFinished(try reader.read())
        case .idempotencyExpired: self = .idempotencyExpired(through: try reader.read())
        case .nodeEnrolled: self = .nodeEnrolled(version == 1 ? try .withoutMembership(&reader) : try reader.read())
        case .nodeRegistered: self = .nodeRegistered(try RegisteredNode(from: &reader, version: version))
        case .nodeSuspected: self = .nodeSuspected(try reader.read(), at: try reader.read())
        case .nodeSilenced: self = .nodeSilenced(try reader.read(), lastHeard: try reader.read(), at: try reader.read())
        case .nodeCordoned:
            self = .nodeCordoned(try reader.read(), isCordoned: try reader.readBool(), at: try reader.read())
        case .nodeRemoved: self = .nodeRemoved(try reader.read(), at: try reader.read())
        case .nodeMoved: self = .nodeMoved(try reader.read(), pool: try reader.readString(), at: try reader.read())
        case .nodeDrainBegan: self = .nodeDrainBegan(try reader.read(), deadline: try reader.readOptional(), at: try reader.read())
        case .nodeDrainDue: self = .nodeDrainDue(try reader.read(), at: try reader.read())
        case .attemptLeftBehind: self = .attemptLeftBehind(try reader.read())
        case .attemptGone: self = .attemptGone(try reader.read(), try reader.read(), at: try reader.read())
        case .nodeConfirmedDead: self = .nodeConfirmedDead(try reader.read(), at: try reader.read())
        case .nodeContested: self = .nodeContested(try reader.read())
        case .nodeQuarantined: self = .nodeQuarantined(try reader.read(), at: try reader.read())
        case .stateOutdated: self = .stateOutdated(try reader.read(), try reader.read(), at: try reader.read())
        case .joinTokenCreated: self = .joinTokenCreated(version == 1 ? try .withoutMembership(&reader) : try reader.read())
        case .keyCreated: self = .keyCreated(try reader.read())
        case .keyRevoked: self = .keyRevoked(try reader.readString(), at: try reader.read())
        case .userSet: self = .userSet(try .withoutWeight(&reader), at: try reader.read())
        case .timersDue: self = .timersDue(at: try reader.read())
        case .hourCut: self = .hourCut(at: try reader.read())
        case .secretSet: self = .secretSet(try reader.read())
        case .secretRemoved: self = .secretRemoved(tenant: try reader.readString(), name: try reader.readString(), at: try reader.read())
        case .shareObjectSet: self = .shareObjectSet(try reader.read(), at: try reader.read())
        case .shareObjectRemoved: self = .shareObjectRemoved(try reader.read(), at: try reader.read())
        case .datasetCreated: self = .datasetCreated(try reader.read())
        case .datasetRemoved:
            self = .datasetRemoved(
                tenant: try reader.readString(), name: try reader.readString(), version: try reader.readString(), at: try reader.read())
        }
    }
}

extension CanonicalWriter {
    fileprivate mutating func write(_ tag: Event.Tag, _ value: some CanonicalValue) {
        write(tag)
        value.write(to: &self)
    }

    /// Texts one after the other, not as a list.
    fileprivate mutating func write(_ tag: Event.Tag, _ texts: [String], _ at: LogicalTime) {
        write(tag)
        for text in texts { write(text) }
        write(at)
    }

    fileprivate mutating func write(_ tag: Event.Tag, _ value: some CanonicalValue, _ at: LogicalTime) {
        write(tag, value)
        write(at)
    }
}

// MARK: - What events carry

extension Submission.Key: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(text)
        writer.write(bytes: requestDigest)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(text: try reader.readString(), requestDigest: try reader.readBytes())
    }
}

extension AcceptedJob: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(id)
        writer.write(specification)
        writer.write(user)
        writer.write(key)
        writer.write(retryOf)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            id: try reader.read(), specification: try reader.read(), user: try reader.readString(), key: try reader.readOptional(),
            retryOf: try reader.readOptional(), at: try reader.read())
    }
}

extension PlacedUnits.Place: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(node)
        writer.write(fence)
        writer.write(allocation)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(node: try reader.read(), fence: try reader.read(), allocation: try reader.read())
    }
}

extension PlacedUnits.Unit: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(ordinal)
        writer.write(attempt)
        writer.write(places)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(ordinal: try reader.readUInt32(), attempt: try reader.readUInt32(), places: try reader.readList())
    }
}

extension PlacedUnits: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(job)
        writer.write(units)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(job: try reader.read(), units: try reader.readList(), at: try reader.read())
    }
}

extension GrantedSuccessors: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(job)
        writer.write(attempt)
        writer.write(slots)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(job: try reader.read(), attempt: try reader.readUInt32(), slots: try reader.readList(), at: try reader.read())
    }
}

extension GrantedSuccessors.Slot: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(holder)
        writer.write(node)
        writer.write(slot)
        writer.write(tasks)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(holder: try reader.readUInt32(), node: try reader.read(), slot: try reader.read(), tasks: try reader.readList())
    }
}

extension GrantedSuccessors.Task: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(ordinal)
        writer.write(fence)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(ordinal: try reader.readUInt32(), fence: try reader.read())
    }
}

extension StoppedUnit: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(job)
        writer.write(ordinal)
        writer.write(grace)
        writer.write(reason)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            job: try reader.read(), ordinal: try reader.readUInt32(), grace: try reader.read(), reason: try reader.read(),
            at: try reader.read())
    }
}

extension EndedAttempt.Disposition: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        switch self {
        case .gangLives: writer.write(UInt8(0))
        case .finished(let state, let reason):
            writer.write(UInt8(1))
            writer.write(state)
            writer.write(reason)
        case .requeued(let attempt, let notBefore, let reason):
            writer.write(UInt8(2))
            writer.write(attempt)
            writer.write(notBefore)
            writer.write(reason)
        }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        switch try reader.readUInt8() {
        case 0: self = .gangLives
        case 1: self = .finished(try reader.read(), try reader.read())
        case 2: self = .requeued(attempt: try reader.readUInt32(), notBefore: try reader.read(), reason: try reader.read())
        case let other: throw .malformed("unknown disposition \(other)")
        }
    }
}

extension EndedAttempt: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(attempt)
        writer.write(node)
        writer.write(end)
        writer.write(state)
        writer.write(reason)
        writer.write(disposition)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            attempt: try reader.read(), node: try reader.read(), end: try reader.read(), state: try reader.read(),
            reason: try reader.read(), disposition: try reader.read(), at: try reader.read())
    }
}

extension FinishedJob: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(id)
        writer.write(state)
        writer.write(reason)
        writer.write(exitCode)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            id: try reader.read(), state: try reader.read(), reason: try reader.read(), exitCode: try reader.readInt32(),
            at: try reader.read())
    }
}
