// Jobs that come at their times, wait, run and end: what a queueing simulation is given, and what comes of it.

public import ClusterModel

/// A job of a trace.
public struct QueuedJob: Hashable, Sendable {
    public var name: String
    /// Since the beginning of the trace.
    public var submitted: Span
    /// For how long it runs. No policy reads it before the job has ended, unless it was given as an estimate.
    public var duration: Span
    public var devices: Int
    /// The virtual cluster that it belongs to; empty without.
    public var tenant: String

    public init(name: String, submitted: Span, duration: Span, devices: Int, tenant: String) {
        self.name = name
        self.submitted = submitted
        self.duration = duration
        self.devices = devices
        self.tenant = tenant
    }
}

/// Equal nodes. A job of no more devices than a node has runs on one node; a larger one on whole nodes and, for the rest, one more.
public struct QueueCluster: Hashable, Sendable {
    public var nodes: Int
    public var devicesPerNode: Int

    public init(nodes: Int, devicesPerNode: Int) {
        self.nodes = nodes
        self.devicesPerNode = devicesPerNode
    }

    /// Devices on each of the nodes that a job takes.
    func parts(of devices: Int) -> [Int] {
        guard devices > devicesPerNode else { return [devices] }
        let rest = devices % devicesPerNode
        return Array(repeating: devicesPerNode, count: devices / devicesPerNode) + (rest > 0 ? [rest] : [])
    }
}

/// What policies are told of run times.
public enum Estimates: String, CaseIterable, Sendable {
    case none
    case exact
    case doubled

    /// At least a second: nobody estimates less.
    func estimate(of job: QueuedJob) -> Span? {
        switch self {
        case .none: nil
        case .exact: max(.seconds(1), job.duration)
        case .doubled: max(.seconds(1), Span(nanoseconds: 2 * job.duration.nanoseconds))
        }
    }
}

/// A job ran, whole, from one instant to another.
public struct RunSegment: Hashable, Sendable {
    /// Its place in the trace.
    public var job: Int
    /// Since the beginning of the trace.
    public var start: Span
    public var end: Span
    /// Nodes, from 0, and devices on each.
    public var places: [(node: Int, devices: Int)]

    public static func == (left: RunSegment, right: RunSegment) -> Bool {
        (left.job, left.start, left.end) == (right.job, right.start, right.end)
            && left.places.elementsEqual(right.places) { $0 == $1 }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(job)
        hasher.combine(start)
        hasher.combine(end)
    }
}
