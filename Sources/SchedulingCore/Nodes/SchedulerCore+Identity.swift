// Whether a registration is from the machine that the node is. Its key says that it knows the node's secret; a copied disk
// knows it too.

import ClusterModel

extension SchedulerCore {
    // MARK: Decide

    /// nil: the registration may be believed. Otherwise what to say instead.
    func decideIdentity(
        _ id: NodeID, _ row: NodeRow, _ registration: Registration, _ seen: SeenState, at now: LogicalTime
    ) throws(Rejection) -> Decided? {
        let isOtherBoot = !row.bootID.isEmpty && registration.bootID != row.bootID
        if !isOtherBoot, registration.sentAt > 0, registration.sentAt <= row.sentAt { throw .stale }
        if row.isQuarantined { return refuse(id, Self.quarantineText(row.name), retryAfter: .seconds(10)) }
        // Once outdated, also from a node that has not heard of the lost time: what this state has for it may have run and ended.
        if isOutdated || contradicts(seen, row) {
            let events: [Event] = isOutdated ? [] : [.stateOutdated(id, seen.session, at: now)]
            return refuse(id, SchedulerLimits.outdatedText, events, retryAfter: .seconds(60))
        }
        // A bare word that no mark bears out: the node alone is not believed.
        if registration.attempts.contains(where: { $0.fence.value > lastFence }) {
            return refuse(
                id,
                "node '\(row.name)' names a grant that this coordinator never gave: remove the node and join it again, or put the newest "
                    + "data directory of the coordinator back", retryAfter: .seconds(60))
        }
        guard registration.sentAt > 0, isOtherBoot else { return nil }
        if registration.bootID == row.previousBootID { return decideReturnedBoot(id, row, registration, at: now) }
        if row.sentAt > 0, seen.session < row.sessionSeen {
            let text =
                "this machine knows less of node '\(row.name)' than the node does: its disk is an older copy; give it an identity of its own"
            return refuse(id, text, retryAfter: .seconds(60))
        }
        if row.link == .connected {
            return refuse(
                id, "another machine is connected as node '\(row.name)'; if that was this one before it restarted, wait",
                retryAfter: .seconds(10))
        }
        return nil
    }

    /// Whether the coordinator has told this node of a state that this one never was. All of it was durable before a node heard of
    /// it, so this state is then a copy of an older time that nobody declared a restore (which passes every number of before).
    private func contradicts(_ seen: SeenState, _ row: NodeRow) -> Bool {
        seen.epoch > epoch || seen.revision > revision || (seen.epoch < epoch && seen.revision >= leadershipRevision)
            || seen.session > max(row.session, restoredSession)
    }

    /// A machine does not return to a boot: this message has been on its way for long, or there are two machines. Whoever can repeat
    /// what it was asked lives.
    private func decideReturnedBoot(_ id: NodeID, _ row: NodeRow, _ registration: Registration, at now: LogicalTime) -> Decided {
        if let contest = row.contest, contest.bootID == registration.bootID, registration.challenge == contest.challenge {
            var decided = refuse(id, Self.quarantineText(row.name), [.nodeQuarantined(id, at: now)], retryAfter: .seconds(10))
            decided.effects.append(.disconnect(id))
            return decided
        }
        let known = row.contest.flatMap { $0.bootID == registration.bootID ? $0.challenge : nil }
        let challenge = known ?? revision + 1
        let contest = ContestedNode(id: id, bootID: registration.bootID, challenge: challenge, at: now)
        return refuse(
            id, "another machine has registered as node '\(row.name)' since", known == nil ? [.nodeContested(contest)] : [],
            retryAfter: .seconds(5), challenge: challenge)
    }

    private static func quarantineText(_ name: String) -> String {
        "two machines share the identity of node '\(name)': nothing is placed on either; give one of them an identity of its own, then "
            + "'suanpan node uncordon \(name)'"
    }

    private func refuse(_ id: NodeID, _ text: String, _ events: [Event] = [], retryAfter: Span, challenge: UInt64 = 0) -> Decided {
        let refusal = Refusal(code: .busy, message: text, retryAfter: retryAfter, challenge: challenge)
        return Decided(events: events, effects: [.refuse(id, refusal)], answer: .node(id))
    }

    // MARK: Evolve

    mutating func evolveContested(_ contested: ContestedNode) {
        advance(to: contested.at)
        _ = nodes.update(contested.id) { $0.contest = Contest(bootID: contested.bootID, challenge: contested.challenge) }
    }

    mutating func evolveQuarantined(_ id: NodeID, at: LogicalTime) {
        advance(to: at)
        _ = nodes.update(id) { row in
            row.isQuarantined = true
            row.link = .suspect
        }
        refreshOffer(of: id)
    }
}
