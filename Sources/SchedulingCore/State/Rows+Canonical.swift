// Canonical bytes of the rows of the state.

public import ClusterModel

extension WaitingUnits: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(attempt)
        writer.write(notBefore)
        writer.write(reason)
        writer.write(units)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            attempt: try reader.readUInt32(), notBefore: try reader.read(), reason: try reader.read(), units: try reader.read())
    }
}

extension LiveTask: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(node)
        writer.write(fence)
        writer.write(allocation)
        switch phase {
        case .starting: writer.write(UInt8(0))
        case .running: writer.write(UInt8(1))
        case .ended(let state, let reason):
            writer.write(UInt8(2))
            writer.write(state)
            writer.write(reason)
        }
        writer.write(segmentStart)
        writer.write(segmentNumber)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let node: NodeID = try reader.read()
        let fence: Fence = try reader.read()
        let allocation: Allocation = try reader.read()
        let phase: Phase
        switch try reader.readUInt8() {
        case 0: phase = .starting
        case 1: phase = .running
        case 2: phase = .ended(try reader.read(), try reader.read())
        case let tag: throw .malformed("phase \(tag)")
        }
        let segmentStart: LogicalTime = try reader.read()
        let segmentNumber = try reader.readUInt32()
        // Before level 6 nothing better was written: of tasks that were cut it is up to an hour too early.
        let heldSince = LogicalTime(nanoseconds: segmentStart.nanoseconds - Int64(segmentNumber) * Span.hour.nanoseconds)
        self.init(
            node: node, fence: fence, slot: fence, allocation: allocation, phase: phase, heldSince: heldSince, segmentStart: segmentStart,
            segmentNumber: segmentNumber)
    }
}

extension LiveUnit.FirstFailure: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(state)
        writer.write(reason)
        writer.write(exitCode)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(state: try reader.read(), reason: try reader.read(), exitCode: try reader.readInt32())
    }
}

extension LiveUnit: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(attempt)
        writer.write(restartReason)
        writer.write(tasks)
        writer.write(stopReason)
        writer.write(firstFailure)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            attempt: try reader.readUInt32(), restartReason: try reader.read(), tasks: try reader.readList(),
            stopReason: try reader.readOptional(), firstFailure: try reader.readOptional())
    }
}

extension TaskCounts: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        for count in [queued, starting, running, stopping, succeeded, failed, cancelled] { writer.write(count) }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            queued: try reader.readUInt32(), starting: try reader.readUInt32(), running: try reader.readUInt32(),
            stopping: try reader.readUInt32(), succeeded: try reader.readUInt32(), failed: try reader.readUInt32(),
            cancelled: try reader.readUInt32())
    }
}

extension JobRow: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(specification)
        writer.write(user)
        writer.write(submittedAt)
        writer.write(retryOf)
        writer.write(shape)
        writer.write(waiting)
        writer.write(UInt64(live.count))
        for ordinal in liveOrdinals {
            writer.write(ordinal)
            if let unit = live[ordinal] { writer.write(unit) }
        }
        writer.write(isCancelling)
        writer.write(unmetDependencies)
        writer.write(startedAt)
        writer.write(counts)
        writer.write(exitCode)
        writer.write(firstFailure)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let specification: JobSpecification = try reader.read()
        let user = try reader.readString()
        let submittedAt: LogicalTime = try reader.read()
        let retryOf: JobID? = try reader.readOptional()
        let shape: RequestClassID = try reader.read()
        let waiting: [WaitingUnits] = try reader.readList()
        var live: [UInt32: LiveUnit] = [:]
        for _ in 0..<(try reader.readCount()) {
            let ordinal = try reader.readUInt32()
            live[ordinal] = try reader.read()
        }
        let isCancelling = try reader.readBool()
        self.init(
            specification: specification, user: user, submittedAt: submittedAt, retryOf: retryOf, shape: shape,
            gangSize: specification.gangSize, account: .none, waiting: waiting, live: live, isCancelling: isCancelling,
            unmetDependencies: try reader.readList(), startedAt: try reader.readOptional(), counts: try reader.read(),
            exitCode: try reader.readInt32(), firstFailure: try reader.read())
    }
}

extension NodeRow: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(bytes: publicKey)
        writer.write(enrolledAt)
        writer.write(link)
        writer.write(session)
        writer.write(instance)
        writer.write(bytes: bootID)
        writer.write(registeredAt)
        writer.write(isCordoned)
        writer.write(membership)
        writer.write(drain)
        writer.write(condition)
        writer.write(bytes: previousBootID)
        writer.write(sentAt)
        writer.write(sessionSeen)
        writer.write(contest)
        writer.write(isQuarantined)
        writer.write(dirtySlots)
        writer.write(strengths)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        try self.init(from: &reader, level: SchedulerCore.snapshotLevel)
    }

    /// What it holds is rebuilt from the job rows.
    init(from reader: inout CanonicalReader, level: UInt32) throws(CanonicalError) {
        let name = try reader.readString()
        let publicKey = try reader.readBytes()
        let enrolledAt: LogicalTime = try reader.read()
        let link: Link = try reader.read()
        let session: SessionID = try reader.read()
        let instance = try reader.readUInt64()
        let bootID = try reader.readBytes()
        let registeredAt: LogicalTime? = try reader.readOptional()
        let isCordoned = try reader.readBool()
        self.init(
            name: name, publicKey: publicKey, enrolledAt: enrolledAt, membership: level >= 3 ? try reader.read() : .none, link: link,
            session: session, instance: instance, bootID: bootID, registeredAt: registeredAt, isCordoned: isCordoned,
            drain: level >= 3 ? try reader.readOptional() : nil)
        guard level >= 4 else { return }
        condition = try reader.read()
        previousBootID = try reader.readBytes()
        sentAt = try reader.readInt64()
        sessionSeen = try reader.read()
        contest = try reader.readOptional()
        isQuarantined = try reader.readBool()
        dirtySlots = try reader.readList()
        if level >= 7 { strengths = try reader.readList() }
    }
}

extension Drain: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(deadline)
        writer.write(isDue)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(deadline: try reader.readOptional(), isDue: try reader.readBool())
    }
}

extension Contest: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(bytes: bootID)
        writer.write(challenge)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(bootID: try reader.readBytes(), challenge: try reader.readUInt64())
    }
}

extension DirtySlot.Attempt: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(fence)
        writer.write(id)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(fence: try reader.read(), id: try reader.read())
    }
}

extension DirtySlot: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(slot)
        writer.write(allocation)
        writer.write(attempts)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(slot: try reader.read(), allocation: try reader.readOptional(), attempts: try reader.readList())
    }
}
