// Nodes come, speak, fall silent, return and leave.

import ClusterModel
import Placement

extension SchedulerCore {
    // MARK: Decide

    func decideEnroll(tokenID: [UInt8], publicKey: [UInt8], nodeName: String, at now: LogicalTime) throws(Rejection) -> Decided {
        guard ObjectName.isValid(nodeName) else {
            throw .enrollment(code: "name", message: "the node's name must match \(ObjectName.grammar)")
        }
        guard publicKey.count == 32 else { throw .enrollment(code: "proof", message: "the public key must have 32 bytes") }
        if let known = nodeIDsByKey[publicKey], let row = nodes[known] {
            guard row.name == nodeName else {
                throw .enrollment(code: "name_taken", message: "this key belongs to node '\(row.name)'")
            }
            return Decided(answer: .node(known))
        }
        guard let token = joinTokens[tokenID] else {
            throw .enrollment(code: "token_unknown", message: "this token is not known here; make a new one with 'suanpan node token'")
        }
        guard token.expiresAt > now else {
            throw .enrollment(code: "token_expired", message: "this token has expired; make a new one with 'suanpan node token'")
        }
        guard token.usesLeft > 0 else {
            throw .enrollment(code: "token_used", message: "this token has been used up; make a new one with 'suanpan node token'")
        }
        guard nodeName.hasPrefix(token.namePrefix) else {
            throw .enrollment(code: "name", message: "this token adds only nodes named '\(token.namePrefix)…'")
        }
        guard nodeIDsByName[nodeName] == nil else {
            throw .enrollment(code: "name_taken", message: "another node is named '\(nodeName)'; choose another with --name, or remove it")
        }
        let id = NodeID(lastNode + 1)
        let node = EnrolledNode(id: id, name: nodeName, publicKey: publicKey, tokenID: tokenID, membership: token.membership, at: now)
        return Decided(events: [.nodeEnrolled(node)], answer: .node(id))
    }

    func decideRegister(_ id: NodeID, _ registration: Registration, _ seen: SeenState, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = nodes[id] else {
            throw .registration(Refusal(code: .removed, message: "this node was removed; join again with a new token", retryAfter: .zero))
        }
        let versions = registration.oldestVersion...max(registration.oldestVersion, registration.newestVersion)
        guard versions.overlaps(AgentProtocolVersion.oldest...AgentProtocolVersion.newest) else {
            let ours = "\(AgentProtocolVersion.oldest)…\(AgentProtocolVersion.newest)"
            throw .registration(
                Refusal(
                    code: .version, message: "the coordinator speaks agent protocol \(ours), the agent \(versions): upgrade the older",
                    retryAfter: .seconds(60)))
        }
        if let answer = try decideIdentity(id, row, registration, seen, at: now) { return answer }
        var inventory = registration.inventory
        // The name belongs to the key, and where the node belongs is the token's to say: an agent claims neither.
        inventory.name = row.name
        var membership = row.membership
        // What a later token said of its center holds for it as well.
        if let center = membership.center, center.isBare { membership.center = known(center, at: now) }
        inventory.labels = membership.labels(over: inventory.labels)
        inventory.taints = membership.taints(over: inventory.taints)
        let claimed = inventory
        // Not a name that an agent or a token could give.
        inventory.taints = (inventory.taints + taints(ofPool: membership.pool)).sorted()
        let isNew = offers[id]?.inventory != inventory
        // One that was accepted before is acceptable: thousands of nodes come back at once, and with what they had.
        let errors = isNew ? claimed.validate() : []
        guard errors.isEmpty else {
            let text = errors.map(\.description).joined(separator: "; ")
            throw .registration(Refusal(code: .inventory, message: text, retryAfter: .seconds(60)))
        }
        let strengths = Self.strengths(of: inventory.devices)
        let event = RegisteredNode(
            id: id, session: SessionID(lastSession + 1), instance: registration.instance, bootID: registration.bootID,
            inventory: isNew ? inventory : nil, at: now, sentAt: registration.sentAt,
            sessionSeen: max(row.sessionSeen, seen.session), condition: registration.condition,
            strengths: strengths == row.strengths ? nil : strengths)
        return Decided(events: [.nodeRegistered(event)], answer: .node(id))
    }

    /// What each device prices at. Devices that follow each other are mostly alike, and each is looked up in the whole table.
    private static func strengths(of devices: [Device]) -> [Int64] {
        var last: (model: String, vendor: String, kind: DeviceKind, strength: Int64)?
        return devices.map { device in
            if let last, last.model == device.model, last.vendor == device.vendor, last.kind == device.kind { return last.strength }
            let strength = DeviceModelTable.nominal.pricedComputeUnitsMilli(of: device) ?? 0
            last = (device.model, device.vendor, device.kind, strength)
            return strength
        }
    }

    /// Attempts that the state holds on a node and that its registration did not name.
    ///
    /// Never seen running, same boot: the order was lost, it is sent again. This registration may be older than the order, so
    /// nothing is taken to have ended before the node says so; where it was to be stopped, the stop alone is sent again, and
    /// the node answers for what it never had. Otherwise what ran is gone.
    func decideUnlisted(_ attempt: AttemptID, on node: NodeID, rebooted: Bool, at now: LogicalTime) -> Decided {
        var decided = Decided()
        if successor(attempt) != nil { return decideUnlistedSuccessor(attempt, on: node, rebooted: rebooted, at: now) }
        guard let (row, ordinal, rank, unit) = liveTask(attempt), let session = nodes[node]?.session else { return decided }
        // A start of before a restore may have been, and have ended: sent again, it would run beside whatever came after it.
        if unit.tasks[rank].phase == .starting, !rebooted, unit.tasks[rank].fence > restoredFence {
            if unit.stopReason == nil || !row.isCancelling {
                let unitPlaces = startBatches(job: attempt.task.job, row: row, ordinal: ordinal, only: [rank])
                decided.effects += unitPlaces.map { .command($0.node, session, .start($0.batch)) }
                return decided
            }
            return decided
        }
        let detail =
            if unit.tasks[rank].fence <= restoredFence {
                "the coordinator was restored from a backup and the node no longer has this attempt: it may have ended in between"
            } else { rebooted ? "the node restarted" : "the node no longer knows this attempt" }
        let end = AttemptEnd(cause: .infrastructure, exitCode: ExitCode.platform, detail: detail)
        appendEnd(of: attempt, end, row: row, ordinal: ordinal, rank: rank, unit: unit, at: now, &decided.events)
        return decided
    }

    func decideDisconnected(_ id: NodeID, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = nodes[id], row.link == .connected else { throw .stale }
        return Decided(events: [.nodeSuspected(id, at: now)])
    }

    func decideLeaseExpired(_ id: NodeID, _ session: SessionID, lastHeard: LogicalTime, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = nodes[id], row.session == session, row.link != .silent else { throw .stale }
        return Decided(events: [.nodeSilenced(id, lastHeard: lastHeard, at: now)])
    }

    /// Tasks of a silent node whose job said `replace` or `fail`: their agent has stopped them by now.
    func decideSilentTask(_ attempt: AttemptID, at now: LogicalTime) -> Decided {
        var decided = Decided()
        guard let (row, ordinal, rank, unit) = liveTask(attempt), row.specification.onNodeLost != .wait else { return decided }
        let end = AttemptEnd(cause: .leaseExpired, exitCode: ExitCode.platform, detail: "the node's lease ended")
        appendEnd(of: attempt, end, row: row, ordinal: ordinal, rank: rank, unit: unit, at: now, &decided.events)
        decided.events.append(leaveBehind(attempt, unit.tasks[rank], row: row, at: now))
        return decided
    }

    /// Somebody who can know says that the machine is gone: whatever its jobs said about lost nodes, nothing is waited for.
    func decideConfirmDead(_ id: NodeID, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = nodes[id] else { throw .nodeNotFound(id) }
        guard row.link != .connected else {
            throw .conflict("node '\(row.name)' is connected, so it is not dead; drain it, or stop its agent and launcher first")
        }
        return Decided(events: [.nodeConfirmedDead(id, at: now)], answer: .node(id))
    }

    /// What a dead node held has ended.
    func decideDeadTask(_ attempt: AttemptID, at now: LogicalTime) -> Decided {
        var decided = Decided()
        guard let (row, ordinal, rank, unit) = liveTask(attempt) else { return decided }
        let end = AttemptEnd(
            cause: .infrastructure, exitCode: ExitCode.platform, detail: "an administrator confirmed that the node is dead")
        appendEnd(of: attempt, end, row: row, ordinal: ordinal, rank: rank, unit: unit, at: now, &decided.events)
        return decided
    }

    func decideRemove(_ id: NodeID, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = nodes[id] else { throw .nodeNotFound(id) }
        guard row.liveAttempts.isEmpty else {
            throw .conflict("node '\(row.name)' still holds \(row.liveAttempts.count) tasks; drain it and wait, or cancel them")
        }
        return Decided(events: [.nodeRemoved(id, at: now)])
    }

    func attempts(on id: NodeID) -> [AttemptID] { nodes[id]?.liveAttempts.sorted() ?? [] }

    // MARK: Evolve

    mutating func evolveLeadership(_ newEpoch: Epoch) {
        epoch = newEpoch
        leadershipRevision = revision
        for id in nodes.ids { setLink(.unregistered, of: id) }
    }

    mutating func evolveEnrolled(_ node: EnrolledNode) {
        advance(to: node.at)
        lastNode = max(lastNode, node.id.value)
        let row = NodeRow(name: node.name, publicKey: node.publicKey, enrolledAt: node.at, membership: node.membership)
        nodes.set(row, for: node.id)
        nodeIDsByKey[node.publicKey] = node.id
        nodeIDsByName[node.name] = node.id
        followCenter(of: node.membership, isGone: false)
        guard var token = joinTokens[node.tokenID] else { return }
        token.usesLeft -= min(token.usesLeft, 1)
        joinTokens[node.tokenID] = token.usesLeft > 0 ? token : nil
    }

    mutating func evolveRegistered(_ node: RegisteredNode) {
        advance(to: node.at)
        lastSession = max(lastSession, node.session.value)
        _ = nodes.update(node.id) { row in
            row.session = node.session
            row.instance = node.instance
            // Whoever registers without saying when is of a release that told no boots apart.
            if node.sentAt > 0, row.bootID != node.bootID { row.previousBootID = row.bootID }
            row.bootID = node.bootID
            row.registeredAt = node.at
            row.link = .connected
            row.sentAt = node.sentAt
            row.sessionSeen = node.sessionSeen
            row.condition = node.condition
        }
        if node.inventory != nil || node.strengths != nil {
            recount(-1, on: node.id, at: node.at)
            if let inventory = node.inventory { reoffer(node.id, inventory) }
            if let strengths = node.strengths {
                strengthTotal += strengths.reduce(0, +) - (nodes[node.id]?.strengths ?? []).reduce(0, +)
                _ = nodes.update(node.id) { $0.strengths = strengths }
            }
            recount(1, on: node.id, at: node.at)
        }
        setLink(.connected, of: node.id)
    }

    /// A changed inventory: what running tasks hold is taken from the new amounts.
    mutating func reoffer(_ id: NodeID, _ inventory: NodeInventory) {
        var offer = NodeOffer(inventory: inventory, outage: .notConnected)
        for attempt in attempts(on: id) {
            if let (_, _, rank, unit) = liveTask(attempt) { offer.take(unit.tasks[rank].allocation) }
        }
        for slot in nodes[id]?.dirtySlots ?? [] { if let allocation = slot.allocation { offer.take(allocation) } }
        offers.set(offer, for: id)
    }

    mutating func setLink(_ link: NodeRow.Link, of id: NodeID) {
        _ = nodes.update(id) { $0.link = link }
        refreshOffer(of: id)
    }

    mutating func refreshOffer(of id: NodeID) {
        guard let row = nodes[id] else { return }
        offers.update(id) { $0.outage = row.outage }
    }

    /// No session of it goes on: should the machine speak after all, it registers and is told to stop what it runs.
    mutating func evolveConfirmedDead(_ id: NodeID, at: LogicalTime) {
        advance(to: at)
        lastSession += 1
        let session = SessionID(lastSession)
        _ = nodes.update(id) { row in
            row.session = session
            row.link = .silent
        }
        refreshOffer(of: id)
    }

    mutating func evolveLink(_ id: NodeID, _ link: NodeRow.Link, at: LogicalTime) {
        advance(to: at)
        setLink(link, of: id)
    }

    mutating func evolveCordoned(_ id: NodeID, _ isCordoned: Bool, at: LogicalTime) {
        advance(to: at)
        _ = nodes.update(id) { row in
            row.isCordoned = isCordoned
            guard !isCordoned else { return }
            row.drain = nil
            guard row.isQuarantined else { return }
            // Somebody has seen to it that one machine is left; which one, its next registration tells.
            row.isQuarantined = false
            row.previousBootID = []
            row.sessionSeen = SessionID(0)
            row.contest = nil
        }
        if !isCordoned { drainDeadlines.set(nil, for: id) }
        if let link = nodes[id]?.link { setLink(link, of: id) }
    }

    mutating func evolveRemoved(_ id: NodeID, at: LogicalTime) {
        advance(to: at)
        guard let row = nodes.remove(id) else { return }
        nodeIDsByKey[row.publicKey] = nil
        nodeIDsByName[row.name] = nil
        followCenter(of: row.membership, isGone: true)
        offers.remove(id)
        strengthTotal -= row.strengths.reduce(0, +)
        drainDeadlines.set(nil, for: id)
    }
}
