internal import CZMQ
internal import ClusterModel
internal import ClusterPorts
internal import Logging

extension AgentServerCore {
    /// Sends what the outbox holds. A frame that finds no room waits for it; a node that has gone is reported.
    func flush() {
        guard !lanes.isEmpty else { return }
        for (node, taken) in outbox.take() {
            if case .frames(_, let isNewSession, let refusal) = taken {
                if let refusal, let asking = claims.removeValue(forKey: node) ?? routes[node] { _ = send(refusal, .control, asking) }
                if isNewSession, let claim = claims.removeValue(forKey: node) {
                    routes[node] = claim
                    blocked.remove(node)
                }
            }
            guard let routing = routes[node] else {
                outbox.discard(node)
                continue
            }
            switch taken {
            case .frames(let frames, _, _): send(frames, to: node, routing)
            case .overflow:
                logger.warning("disconnecting a node whose queue is full", metadata: ["node": "\(node)"])
                handler?.overflowed(node)
                cut(.control, routing)
                lost(node, routing)
            }
        }
    }

    func retryBlocked() {
        guard !blocked.isEmpty else { return }
        for node in blocked { outbox.relist(node) }
        blocked.removeAll(keepingCapacity: true)
        flush()
    }

    private func send(_ frames: [JoinedFrame], to node: NodeID, _ routing: RoutingID) {
        var sent = 0
        for (position, frame) in frames.enumerated() {
            if let error = send(frame.bytes, .control, routing) {
                if error.isAgain {
                    blocked.insert(node)
                    return outbox.settle(node, sent: sent, rest: frames[position...])
                }
                // EHOSTUNREACH: the connection has gone; its monitor may not have said so yet.
                return lost(node, routing)
            }
            sent += frame.bytes.count
        }
        outbox.settle(node, sent: sent, rest: [])
    }

    /// Acknowledgements are cumulative: one that finds no room is made good by the next.
    func sendAcks() {
        guard !acks.isEmpty else { return }
        for (routing, frames) in acks {
            for frame in frames { _ = send(frame.bytes, .logs, routing) }
        }
        acks.removeAll(keepingCapacity: true)
    }

    func send(_ frame: [UInt8], _ kind: LaneKind, _ routing: RoutingID) -> ErrorNumber? {
        let socket = lanes[kind.rawValue].socket
        // With ROUTER_MANDATORY the routing id decides: once it is taken, the frame is too.
        return socket.send(routing.bytes, more: true) ?? socket.send(frame)
    }
}
