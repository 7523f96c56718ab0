// A restored state is older than what agents, users and exports have seen: whatever the lost time issued must never be
// issued again (Protocols/journal.md, "Restoring").

public import ClusterModel

extension SchedulerCore {
    /// Issued in each second since 1970, at most, in the long run. Counters that jump to this many for each second pass what
    /// any earlier time of the cluster has issued, also when the same backup is restored twice.
    private enum PaceMax {
        static let jobs: UInt64 = 1_000
        static let nodes: UInt64 = 1
        static let fences: UInt64 = 1 << 20
        static let sessions: UInt64 = 1_000
        static let revisions: UInt64 = 1_000_000
        /// A start of the coordinator takes longer than a second.
        static let epochs: UInt64 = 1
    }

    func decideRestore(cluster: [UInt8], at now: LogicalTime) -> RestoredCluster {
        let seconds = UInt64(max(0, now.nanoseconds / 1_000_000_000))
        return RestoredCluster(
            id: cluster, epoch: Epoch(max(epoch.value + 1, seconds * PaceMax.epochs)),
            job: JobID(max(lastJob, seconds * PaceMax.jobs)), node: NodeID(max(lastNode, seconds * PaceMax.nodes)),
            fence: Fence(max(lastFence, seconds * PaceMax.fences)), session: SessionID(max(lastSession, seconds * PaceMax.sessions)),
            revision: max(revision, seconds * PaceMax.revisions), at: now)
    }

    mutating func evolveRestored(_ cluster: RestoredCluster) {
        advance(to: cluster.at)
        clusterID = cluster.id
        epoch = max(epoch, cluster.epoch)
        lastJob = max(lastJob, cluster.job.value)
        lastNode = max(lastNode, cluster.node.value)
        lastFence = max(lastFence, cluster.fence.value)
        lastSession = max(lastSession, cluster.session.value)
        revision = max(revision, cluster.revision)
        restoredFence = cluster.fence
        restoredSession = cluster.session
        isOutdated = false
    }
}

extension RestoredCluster: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(bytes: id)
        writer.write(epoch)
        writer.write(job)
        writer.write(node)
        writer.write(fence)
        writer.write(session)
        writer.write(revision)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            id: try reader.readBytes(), epoch: try reader.read(), job: try reader.read(), node: try reader.read(),
            fence: try reader.read(), session: try reader.read(), revision: try reader.readUInt64(), at: try reader.read())
    }
}
