/// The interned shape of a gang: what queues, matching, blocking reasons and explain work on.
public struct RequestClass: Hashable, Sendable {
    public struct Group: Hashable, Sendable {
        public var count: UInt32
        public var resources: ResourceRequest
        public var constraints: [Constraint]

        public init(count: UInt32, resources: ResourceRequest, constraints: [Constraint]) {
            self.count = count
            self.resources = resources
            self.constraints = constraints
        }
    }

    public var groups: [Group]

    public init(groups: [Group]) { self.groups = groups }

    public init(of specification: JobSpecification) {
        let own = Constraint.own(of: specification)
        groups = specification.groups.map { Group(count: $0.count, resources: $0.resources, constraints: $0.constraints + own) }
    }

    public var gangSize: UInt32 { groups.reduce(0) { $0 + $1.count } }
}

extension RequestClass.Group: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(count)
        writer.write(resources)
        writer.write(constraints)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(count: try reader.readUInt32(), resources: try reader.read(), constraints: try reader.readList())
    }
}

extension RequestClass: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(groups) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) { self.init(groups: try reader.readList()) }
}
