// Whether a registration is from the machine that the node is. Its key says that it knows the node's secret; a copied disk
// knows it too.

import ClusterModel

extension SchedulerCore {
    // MARK: Decide

    /// nil: the registration may be believed. Otherwise what to say instead.
    func decideIdentity(_ id: NodeID, _ row: NodeRow, _ registration: Registration, at now: LogicalTime) throws(Rejection) -> Decided? {
        let isOtherBoot = !row.bootID.isEmpty && registration.bootID != row.bootID
        if !isOtherBoot, registration.sentAt > 0, registration.sentAt <= row.sentAt { throw .stale }
        if row.isQuarantined { return refuse(id, Self.quarantineText(row.name), retryAfter: .seconds(60)) }
        // Sessions and fences are durable here before a node hears of them, so no node knows later ones: unless this state is a
        // copy of an older time that nobody declared a restore.
        let latestFence = registration.attempts.map(\.fence).max() ?? Fence(0)
        if registration.sessionSeen > max(row.session, restoredSession) || latestFence.value > lastFence {
            let events: [Event] = isOutdated ? [] : [.stateOutdated(id, registration.sessionSeen, at: now)]
            return refuse(id, SchedulerLimits.outdatedText, events, retryAfter: .seconds(60))
        }
        guard registration.sentAt > 0, isOtherBoot else { return nil }
        if registration.bootID == row.previousBootID { return decideReturnedBoot(id, row, registration, at: now) }
        if row.sentAt > 0, registration.sessionSeen < row.sessionSeen {
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

    /// A machine does not return to a boot: this message has been on its way for long, or there are two machines. Whoever can repeat
    /// what it was asked lives.
    private func decideReturnedBoot(_ id: NodeID, _ row: NodeRow, _ registration: Registration, at now: LogicalTime) -> Decided {
        if let contest = row.contest, contest.bootID == registration.bootID, registration.challenge == contest.challenge {
            var decided = refuse(id, Self.quarantineText(row.name), [.nodeQuarantined(id, at: now)], retryAfter: .seconds(60))
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
