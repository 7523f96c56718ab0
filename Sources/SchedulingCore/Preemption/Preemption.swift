// Room that is taken from what may be preempted: the event, and what is remembered of it until the room is used.
// Protocols/lifecycle.md, "Preemption".

public import ClusterModel

/// Gangs that stop so that another job can start where they are.
public struct Preemption: Hashable, Sendable {
    public struct Gang: Hashable, Sendable {
        public var job: JobID
        public var ordinal: UInt32
        /// From its notice to its end.
        public var grace: Span

        public init(job: JobID, ordinal: UInt32, grace: Span) {
            self.job = job
            self.ordinal = ordinal
            self.grace = grace
        }
    }

    /// For whom.
    public var job: JobID
    /// How many gangs of it will start there.
    public var units: UInt32
    public var gangs: [Gang]
    /// Set aside for the job; ascending.
    public var nodes: [NodeID]
    /// By then the room is free, and is no longer kept if it is not used.
    public var until: LogicalTime
    public var at: LogicalTime

    public init(job: JobID, units: UInt32, gangs: [Gang], nodes: [NodeID], until: LogicalTime, at: LogicalTime) {
        self.job = job
        self.units = units
        self.gangs = gangs
        self.nodes = nodes
        self.until = until
        self.at = at
    }
}

/// Nodes that are kept for a job since others were stopped there for it.
struct PreemptionClaim: Hashable, Sendable {
    var units: UInt32
    var nodes: [NodeID]
    var until: LogicalTime
}

extension SchedulerCore {
    /// All of them at once; what they hold is free when they have ended.
    mutating func evolvePreempted(_ preemption: Preemption, _ changes: inout Changes) {
        advance(to: preemption.at)
        for gang in preemption.gangs {
            let stopped = StoppedUnit(
                job: gang.job, ordinal: gang.ordinal, grace: gang.grace, reason: .preempted, at: preemption.at)
            evolveStopRequested(stopped, &changes)
        }
        preemptionClaims.set(
            PreemptionClaim(units: preemption.units, nodes: preemption.nodes, until: preemption.until), for: preemption.job)
    }

    /// Gangs of a job have been placed: wherever they went, they need the room no longer.
    mutating func settleClaim(of job: JobID, placed units: Int) {
        guard var claim = preemptionClaims[job] else { return }
        guard claim.units > UInt32(units) else {
            preemptionClaims.remove(job)
            return
        }
        claim.units -= UInt32(units)
        preemptionClaims.set(claim, for: job)
    }

    /// Room is kept for it, and it has not used it yet.
    func isClaiming(_ job: JobID, at now: LogicalTime) -> Bool {
        guard let claim = preemptionClaims[job], now <= claim.until, let row = jobs[job] else { return false }
        return row.readySet(at: now) != nil && row.startAllowance > 0
    }

    func stopCommands(of preemption: Preemption) -> [Effect] {
        preemption.gangs.flatMap { gang -> [Effect] in
            guard let row = jobs[gang.job], let unit = row.live[gang.ordinal] else { return [] }
            return stopCommands(gang.job, row: row, ordinal: gang.ordinal, unit: unit, grace: gang.grace)
        }
    }
}

extension Preemption.Gang: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(job)
        writer.write(ordinal)
        writer.write(grace)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(job: try reader.read(), ordinal: try reader.readUInt32(), grace: try reader.read())
    }
}

extension Preemption: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(job)
        writer.write(units)
        writer.write(gangs)
        writer.write(nodes)
        writer.write(until)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            job: try reader.read(), units: try reader.readUInt32(), gangs: try reader.readList(), nodes: try reader.readList(),
            until: try reader.read(), at: try reader.read())
    }
}

extension PreemptionClaim: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(units)
        writer.write(nodes)
        writer.write(until)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(units: try reader.readUInt32(), nodes: try reader.readList(), until: try reader.read())
    }
}
