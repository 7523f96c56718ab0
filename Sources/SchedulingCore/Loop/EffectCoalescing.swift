import ClusterModel

/// Joins commands of one batch for the same node: starts of one group of one job, stops, releases. A batch of a thousand
/// completions costs a node one message, not a thousand.
enum EffectCoalescing {
    private struct Slot: Hashable {
        enum Kind: Hashable {
            case start(JobID, group: String)
            case release
        }

        var node: NodeID
        var session: SessionID
        var kind: Kind
    }

    /// Most starts of one message: far below what a frame of the wire holds, whatever the devices.
    static let startsPerCommandMax = 512

    /// Order is kept between what cannot be joined: a stop is never moved before a start of the same node.
    static func merged(_ effects: [Effect]) -> [Effect] {
        guard effects.count > 1 else { return effects }
        var result: [Effect] = []
        result.reserveCapacity(effects.count)
        var open: [Slot: Int] = [:]
        var hasStarts = false
        for effect in effects {
            guard case .command(let node, let session, let body) = effect, let kind = kind(of: body) else {
                if case .command = effect { open.removeAll(keepingCapacity: true) }
                result.append(effect)
                continue
            }
            // What is released may be started again under the same name: no start moves before a release.
            if kind == .release, hasStarts {
                open.removeAll(keepingCapacity: true)
                hasStarts = false
            }
            if kind != .release { hasStarts = true }
            let slot = Slot(node: node, session: session, kind: kind)
            guard let index = open[slot], case .command(_, _, let earlier) = result[index], hasRoom(earlier) else {
                open[slot] = result.count
                result.append(effect)
                continue
            }
            // Emptied first, so that the lists grow in place.
            result[index] = .refuse(node, Refusal(code: .busy, message: "", retryAfter: .zero))
            result[index] = .command(node, session, joined(earlier, body))
        }
        return result
    }

    private static func hasRoom(_ body: AgentCommand.Body) -> Bool {
        if case .start(let batch) = body { return batch.starts.count < startsPerCommandMax }
        return true
    }

    private static func kind(of body: AgentCommand.Body) -> Slot.Kind? {
        switch body {
        case .start(let batch): .start(batch.job, group: batch.template.groupName)
        case .release: .release
        case .stop: nil
        }
    }

    private static func joined(_ earlier: AgentCommand.Body, _ later: AgentCommand.Body) -> AgentCommand.Body {
        switch (earlier, later) {
        case (.start(var batch), .start(let more)):
            batch.starts += more.starts
            return .start(batch)
        case (.release(var attempts), .release(let more)):
            attempts += more
            return .release(attempts)
        default: return later
        }
    }
}
