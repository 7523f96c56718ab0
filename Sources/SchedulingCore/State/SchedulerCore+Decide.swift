import ClusterModel

extension SchedulerCore {
    /// Judges a command against the state. Changes nothing; the answer holds once its events are durable.
    func decide(_ command: Command, at now: LogicalTime) throws(Rejection) -> Decided {
        if isOutdated, command.isFromClient { throw .outdated }
        switch command {
        case .submit(let submission): return try decideSubmit(submission, retryOf: nil, at: now)
        case .cancel(let job): return try decideCancel(job, at: now)
        case .updateJob(let job, let update): return try decideUpdate(job, update, at: now)
        case .retry(let job, let submission): return try decideRetry(job, submission, at: now)
        case .setNodeCordon(let node, let isCordoned):
            guard let row = nodes[node] else { throw .nodeNotFound(node) }
            guard row.isCordoned != isCordoned || (row.isQuarantined && !isCordoned) else { return Decided(answer: .node(node)) }
            return Decided(events: [.nodeCordoned(node, isCordoned: isCordoned, at: now)], answer: .node(node))
        case .drainNode(let node, let span): return try decideDrain(node, within: span, at: now)
        case .removeNode(let node): return try decideRemove(node, at: now)
        case .moveNode(let node, let pool): return try decideMove(node, to: pool, at: now)
        case .confirmDead(let node): return try decideConfirmDead(node, at: now)
        case .createJoinToken(let token): return try decideToken(token, at: now)
        case .createKey(let key): return try decideKey(key)
        case .revokeKey(let id): return try decideRevoke(id, at: now)
        case .setSecret(let secret): return try decideSecret(secret)
        case .removeSecret(let tenant, let name): return try decideRemoveSecret(tenant: tenant, name: name, at: now)
        case .createDataset(let dataset): return try decideDataset(dataset)
        case .removeDataset(let tenant, let name, let version):
            return try decideRemoveDataset(tenant: tenant, name: name, version: version, at: now)
        case .setShareObject(let object, let condition): return try decideSet(object, if: condition, at: now)
        case .removeShareObject(let id, let condition): return try decideRemove(id, if: condition, at: now)
        case .enroll(let tokenID, let publicKey, let nodeName):
            return try decideEnroll(tokenID: tokenID, publicKey: publicKey, nodeName: nodeName, at: now)
        case .register(let node, let registration, let seen): return try decideRegister(node, registration, seen, at: now)
        case .report(let node, let report):
            guard let row = nodes[node], row.session == report.session else { throw .stale }
            return Decided()
        case .disconnected(let node): return try decideDisconnected(node, at: now)
        case .goodbye(let node, let session):
            guard let row = nodes[node], row.session == session else { throw .stale }
            return try decideDisconnected(node, at: now)
        case .leaseExpired(let node, let session, let lastHeard):
            return try decideLeaseExpired(node, session, lastHeard: lastHeard, at: now)
        case .tick: return decideTick(at: now)
        }
    }

    /// The first batch of a cluster, or of a leadership.
    func decideLeadership(cluster: [UInt8], at now: LogicalTime) -> [Event] {
        var events: [Event] = []
        if clusterID.isEmpty { events.append(.clusterFounded(id: cluster, at: now)) }
        events.append(.leadershipBegan(Epoch(epoch.value + 1), rules: Self.newestRules, at: now))
        return events
    }
}
