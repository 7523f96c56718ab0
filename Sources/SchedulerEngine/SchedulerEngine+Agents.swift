public import ClusterModel
public import ClusterPorts
import LedgerHashing
import SchedulingCore
import Synchronization
import Telemetry

/// What the transport tells: translated into commands, or answered from tables that follow from durable events.
extension SchedulerEngine: AgentServerHandler {
    public func node(ofKey publicKey: [UInt8]) -> NodeID? { nodeKeys.withLock { $0[publicKey] } }

    public func received(_ messages: [(node: NodeID, message: AgentMessage)]) {
        var commands: [Command] = []
        var answers: [AddressedMessage] = []
        let instant = now()
        // Durable, and so true whatever comes.
        let (epoch, revision) = follower.read { ($0.epoch, $0.revision) }
        sessions.withLock { sessions in
            for (node, message) in messages {
                switch message {
                case .register(let registration):
                    commands.append(.register(node, registration, seen: sealer.seen(in: registration.stateMark, by: node)))
                case .heartbeat(let heartbeat):
                    let margin = sessions.margin(of: node, at: instant)
                    guard var ack = sessions.heard(heartbeat, from: node, at: instant) else { continue }
                    ack.stateMark = sealer.mark(SeenState(epoch: epoch, revision: revision, session: ack.session), for: node)
                    instruments.heartbeats.add()
                    if let margin { instruments.leaseMargin.observe(margin.nanoseconds) }
                    answers.append(AddressedMessage(node: node, message: .heartbeatAck(ack)))
                case .report(let report):
                    sessions.heard(report.session, from: node, at: instant)
                    commands.append(.report(node, report))
                case .topology(let document):
                    keepTopology(document)
                case .goodbye(let session): commands.append(.goodbye(node, session))
                }
            }
        }
        if !answers.isEmpty { server.send(answers) }
        desk.stage(commands)
    }

    public func disconnected(_ node: NodeID) { desk.stage([.disconnected(node)]) }

    public func received(_ chunk: LogChunk, from node: NodeID) -> LogAck? {
        // Bytes are only ever appended at the end of a stream, so no agent can change what was kept. That the attempt is
        // one of this agent's own is not checked yet (SECURITY.md).
        logStore.append(chunk)
    }

    public func enroll(_ request: EnrollmentRequest, answer: @escaping @Sendable (EnrollmentAnswer) -> Void) {
        // Without a known token the core refuses by itself, unless the key was enrolled before.
        if let verifier = follower.read({ $0.joinToken(request.tokenID)?.verifier }), !proves(request, verifier) {
            return answer(.refused(code: "proof", message: "the proof does not match this token; was it copied whole?"))
        }
        let command = Command.enroll(tokenID: request.tokenID, publicKey: request.publicKey, nodeName: request.nodeName)
        desk.stage(command) { result in
            switch result {
            case .success(let decision):
                if case .node(let node) = decision.answer { answer(.accepted(node)) }
            case .failure(.rejected(.enrollment(let code, let message))): answer(.refused(code: code, message: message))
            case .failure: answer(.refused(code: "busy", message: "the coordinator is busy; try again"))
            }
        }
    }

    public func overflowed(_ node: NodeID) { instruments.queueOverflows.add() }

    public func dropped(_ cause: TransportDrop, peer: String) {
        droppedFrames.withLock { $0[cause, default: 0] += 1 }
    }
}
