extension Constraint: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(key)
        writer.write(comparison)
        writer.write(value)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(key: try reader.readString(), comparison: try reader.read(), value: try reader.readString())
    }
}

extension SealedVariable: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(bytes: sealedValue)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(name: try reader.readString(), sealedValue: try reader.readBytes())
    }
}

extension TaskGroup: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(count)
        writer.write(resources)
        writer.write(constraints)
        writer.write(command)
        writer.write(environment)
        writer.write(workDirectory)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            name: try reader.readString(), count: try reader.readUInt32(), resources: try reader.read(),
            constraints: try reader.readList(), command: try reader.readList(), environment: try reader.readList(),
            workDirectory: try reader.readString())
    }
}

extension ArrayRange: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(first)
        writer.write(last)
        writer.write(concurrencyLimit)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            first: try reader.readUInt32(), last: try reader.readUInt32(), concurrencyLimit: try reader.readUInt32())
        guard last >= first else { throw .malformed("array \(first)-\(last)") }
    }
}

extension Dependency: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(job)
        writer.write(condition)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(job: try reader.read(), condition: try reader.read())
    }
}

extension RetryPolicy: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(limit)
        writer.write(causes)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(limit: try reader.readUInt32(), causes: try reader.readList())
    }
}

extension RetryPolicy.CauseLimit: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(cause)
        writer.write(limit)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(cause: try reader.read(), limit: try reader.readUInt32())
    }
}

/// Form 1 begins with the name, which is never empty. Later forms begin with an empty one and their number; form 2 added
/// what stands from the labels to the trace parent, form 3 the centers and the
/// internet, form 4 the estimate, form 5 what bounds its waiting, holds, checkpoints and the rest of the retry policy, form 6 the checkpoint's
/// signal, the pool and when it comes again.
extension JobSpecification: CanonicalValue {
    private static let newestForm: UInt8 = 6

    public func write(to writer: inout CanonicalWriter) {
        writer.write("")
        writer.write(Self.newestForm)
        writer.write(name)
        writer.write(kind)
        writer.write(tenant)
        writer.write(project)
        writer.write(queue)
        writer.write(priority)
        writer.write(isPreemptible)
        writer.write(groups)
        writer.write(array)
        writer.write(dependencies)
        writer.write(beginAt)
        writer.write(timeLimit)
        writer.write(grace)
        writer.write(retry)
        writer.write(checkpointPath)
        writer.write(onNodeLost)
        writer.write(labels)
        writer.write(inputs)
        writer.write(outputs)
        writer.write(secrets)
        writer.write(traceParent)
        writer.write(centers)
        writer.write(needsInternet)
        writer.write(estimate)
        writer.write(deadline)
        writer.write(maxPending)
        writer.write(isHeld)
        writer.write(checkpointInterval)
        writer.write(retry.limits)
        writer.write(retry.backoff)
        writer.write(checkpointSignal)
        writer.write(pool)
        writer.write(recurrence)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        var name = try reader.readString()
        var form: UInt8 = 1
        if name.isEmpty {
            form = try reader.readUInt8()
            guard (2...Self.newestForm).contains(form) else { throw .malformed("unknown form \(form) of a job") }
            name = try reader.readString()
        }
        self.init(
            name: name, kind: try reader.read(), tenant: try reader.readString(), project: try reader.readString(),
            queue: try reader.readString(), priority: try reader.readInt32(), isPreemptible: try reader.readBool(),
            groups: try reader.readList(), array: try reader.readOptional(), dependencies: try reader.readList(),
            beginAt: try reader.readOptional(), timeLimit: try reader.readOptional(), grace: try reader.read(),
            retry: try reader.read(), checkpointPath: try reader.readString(), onNodeLost: try reader.read(),
            labels: try reader.readList())
        guard form >= 2 else { return }
        inputs = try reader.readList()
        outputs = try reader.readList()
        secrets = try reader.readList()
        traceParent = try reader.readString()
        guard form >= 3 else { return }
        centers = try reader.readList()
        needsInternet = try reader.readBool()
        guard form >= 4 else { return }
        estimate = try reader.readOptional()
        guard form >= 5 else { return }
        deadline = try reader.readOptional()
        maxPending = try reader.readOptional()
        isHeld = try reader.readBool()
        checkpointInterval = try reader.readOptional()
        retry.limits = try reader.readList()
        retry.backoff = try reader.readOptional()
        guard form >= 6 else { return }
        checkpointSignal = try reader.readOptional()
        pool = try reader.readString()
        recurrence = try reader.readOptional()
    }
}
