import ClusterModel

extension SchedulerCore {
    /// Folds a fact into the state. Total: cannot fail, whatever the event says; the replay path too.
    public mutating func evolve(_ event: Event, _ changes: inout Changes) {
        revision += 1
        switch event {
        case .clusterFounded(let id, let at):
            clusterID = id
            advance(to: at)
            nextHourCut = at.nextHour
        case .clusterRestored(let cluster): evolveRestored(cluster)
        case .leadershipBegan(let newEpoch, let newRules, let at):
            advance(to: at)
            rules = max(rules, newRules)
            evolveLeadership(newEpoch)
        case .jobAccepted(let job): evolveAccepted(job, &changes)
        case .jobCancelRequested(let job, let at): evolveCancelRequested(job, at: at, &changes)
        case .jobUpdated(let job, let update, let at): evolveUpdated(job, update, at: at, &changes)
        case .jobExpired(let job, let reason, let at): evolveExpired(job, reason, at: at, &changes)
        case .waitingUnitsCancelled(let job, let at): evolveWaitingCancelled(job, at: at, &changes)
        case .unitsPlaced(let placed): evolvePlaced(placed, &changes)
        case .successorsGranted(let granted): evolveGranted(granted)
        case .successorReturned(let attempt, let node, let at): evolveReturned(attempt, from: node, at: at, &changes)
        case .attemptStarted(let attempt, let elapsed, let at): evolveStarted(attempt, elapsed: elapsed, at: at, &changes)
        case .gangCheckpointed(let checkpoint): evolveCheckpointed(checkpoint)
        case .unitStopRequested(let stopped): evolveStopRequested(stopped, &changes)
        case .gangsPreempted(let preemption): evolvePreempted(preemption, &changes)
        case .attemptEnded(let ended): evolveEnded(ended, &changes)
        case .jobFinished(let finished): evolveFinished(finished, &changes)
        case .timersDue(let at): evolveTimersDue(at: at, &changes)
        case .idempotencyExpired(let through): evolveKeysExpired(through: through)
        case .nodeEnrolled(let node): evolveEnrolled(node)
        case .nodeRegistered(let node): evolveRegistered(node)
        case .nodeSuspected(let node, let at): evolveLink(node, .suspect, at: at)
        case .nodeSilenced(let node, _, let at): evolveLink(node, .silent, at: at)
        case .nodeCordoned(let node, let isCordoned, let at): evolveCordoned(node, isCordoned, at: at)
        case .nodeRemoved(let node, let at): evolveRemoved(node, at: at)
        case .nodeMoved(let node, let pool, let at): evolveMoved(node, to: pool, at: at)
        case .nodeDrainBegan(let node, let deadline, let at): evolveDrainBegan(node, deadline: deadline, at: at)
        case .nodeDrainDue(let node, let at): evolveDrainDue(node, at: at)
        case .attemptLeftBehind(let left): evolveLeftBehind(left)
        case .attemptGone(let node, let fence, let at): evolveGone(fence, from: node, at: at)
        case .nodeConfirmedDead(let node, let at): evolveConfirmedDead(node, at: at)
        case .nodeContested(let contested): evolveContested(contested)
        case .nodeQuarantined(let node, let at): evolveQuarantined(node, at: at)
        case .stateOutdated(_, _, let at):
            isOutdated = true
            advance(to: at)
        case .joinTokenCreated(let token): joinTokens[token.id] = token
        case .keyCreated(let key): keys[key.id] = key
        case .keyRevoked(let id, let at):
            keys[id] = nil
            advance(to: at)
        case .userSet(let user, let at):
            advance(to: at)
            shareObjects[ShareObjectID(.user, user.name)] = .user(user)
        case .secretSet(let secret): evolveSecretSet(secret)
        case .secretRemoved(let tenant, let name, let at): evolveSecretRemoved(tenant: tenant, name: name, at: at)
        case .datasetCreated(let dataset): evolveDatasetCreated(dataset)
        case .datasetRemoved(let tenant, let name, let version, let at):
            evolveDatasetRemoved(tenant: tenant, name: name, version: version, at: at)
        case .shareObjectSet(let object, let at): evolveShareObjectSet(object, at: at)
        case .shareObjectRemoved(let id, let at): evolveShareObjectRemoved(id, at: at)
        case .hourCut(let at): evolveHourCut(at: at, &changes)
        }
    }

    mutating func advance(to at: LogicalTime) {
        if at > time { time = at }
    }
}
