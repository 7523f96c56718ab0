// Canonical bytes of what is asked for and what is held. Amounts of cores are never negative: a first field below zero is the
// number of a later form, negated. What the first form can say is written in it, so that plain tasks cost no byte more.

/// Form 2 of `ResourceRequest` and `Allocation`.
private let secondForm: Int64 = -2

extension DeviceRequest: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(kind)
        writer.write(count)
        writer.write(shareMilli)
        writer.write(memoryBytes)
        writer.write(modelPattern)
        writer.write(template)
        writer.write(computeUnitsMilli)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            kind: try reader.readOptional(), count: try reader.readUInt32(), shareMilli: try reader.readInt64(),
            memoryBytes: try reader.readInt64(), modelPattern: try reader.readString(), template: try reader.readString(),
            computeUnitsMilli: try reader.readInt64())
    }

    /// Nothing that the first form cannot say; nil then.
    fileprivate var firstForm: FirstForm? {
        guard let kind, template.isEmpty, computeUnitsMilli == 0 else { return nil }
        return FirstForm(kind: kind, request: self)
    }

    fileprivate struct FirstForm: CanonicalValue {
        var kind: DeviceKind
        var request: DeviceRequest

        init(kind: DeviceKind, request: DeviceRequest) {
            self.kind = kind
            self.request = request
        }

        func write(to writer: inout CanonicalWriter) {
            writer.write(kind)
            writer.write(request.count)
            writer.write(request.shareMilli)
            writer.write(request.memoryBytes)
            writer.write(request.modelPattern)
        }

        init(from reader: inout CanonicalReader) throws(CanonicalError) {
            let kind: DeviceKind = try reader.read()
            self.init(
                kind: kind,
                request: DeviceRequest(
                    kind: kind, count: try reader.readUInt32(), shareMilli: try reader.readInt64(),
                    memoryBytes: try reader.readInt64(), modelPattern: try reader.readString()))
        }
    }
}

extension ResourceRequest: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        if isFirstForm {
            writer.write(cpuMilli)
            writer.write(memoryBytes)
            writer.write(devices?.firstForm)
            return
        }
        writer.write(secondForm)
        writer.write(cpuMilli)
        writer.write(memoryBytes)
        writer.write(hasWholeCores)
        writer.write(devices)
        writer.write(alternatives)
        writer.write(topology)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let start = try reader.readInt64()
        guard start < 0 else {
            self.init(cpuMilli: start, memoryBytes: try reader.readInt64())
            devices = try reader.readOptional(DeviceRequest.FirstForm.self)?.request
            return
        }
        guard start == secondForm else { throw .malformed("unknown form \(start) of a request") }
        self.init(
            cpuMilli: try reader.readInt64(), memoryBytes: try reader.readInt64(), hasWholeCores: try reader.readBool(),
            devices: try reader.readOptional(), alternatives: try reader.readList(), topology: try reader.read())
        guard cpuMilli >= 0, !isFirstForm else { throw .malformed("a request in a form that is not its own") }
    }

    private var isFirstForm: Bool {
        !hasWholeCores && alternatives.isEmpty && topology.isIndifferent && devices.map { $0.firstForm != nil } ?? true
    }
}

extension DeviceGrant.Partition: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(template)
        writer.write(slots)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(template: try reader.readString(), slots: try reader.readUInt64())
    }
}

extension DeviceGrant: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writeFirstForm(to: &writer)
        writer.write(partition)
    }

    fileprivate func writeFirstForm(to writer: inout CanonicalWriter) {
        writer.write(index)
        writer.write(shareMilli)
        writer.write(memoryBytes)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self = try Self.firstForm(&reader)
        partition = try reader.readOptional()
    }

    fileprivate static func firstForm(_ reader: inout CanonicalReader) throws(CanonicalError) -> DeviceGrant {
        DeviceGrant(index: try reader.readUInt32(), shareMilli: try reader.readInt64(), memoryBytes: try reader.readInt64())
    }
}

extension Locality: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(devices)
        writer.write(gang)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(devices: try reader.readOptional(), gang: try reader.readOptional())
    }
}

extension Allocation: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        if isFirstForm {
            writer.write(cpuMilli)
            writer.write(memoryBytes)
            writer.write(UInt64(devices.count))
            for grant in devices { grant.writeFirstForm(to: &writer) }
            return
        }
        writer.write(secondForm)
        writer.write(cpuMilli)
        writer.write(memoryBytes)
        writer.write(devices)
        writer.write(locality)
        writer.write(processors)
        writer.write(numaNode)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let start = try reader.readInt64()
        guard start < 0 else {
            self.init(cpuMilli: start, memoryBytes: try reader.readInt64())
            for _ in 0..<(try reader.readCount()) { devices.append(try DeviceGrant.firstForm(&reader)) }
            return
        }
        guard start == secondForm else { throw .malformed("unknown form \(start) of an allocation") }
        self.init(
            cpuMilli: try reader.readInt64(), memoryBytes: try reader.readInt64(), devices: try reader.readList(),
            locality: try reader.read(), processors: try reader.readList(), numaNode: try reader.readOptional())
        guard cpuMilli >= 0, !isFirstForm else { throw .malformed("an allocation in a form that is not its own") }
    }

    private var isFirstForm: Bool {
        locality == .unknown && processors.isEmpty && numaNode == nil && devices.allSatisfy { $0.partition == nil }
    }
}
