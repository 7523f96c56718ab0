import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation
import Logging
import ZMQTransport

/// Who a node is to its coordinator: a CURVE key pair of its own, and the coordinator's address and key. Made by the
/// first enrolment, kept in the agent's data directory with mode 0600.
struct NodeIdentity: Sendable {
    var keyPair: CurveKeyPair
    var endpoints: AgentEndpoints
    var node: NodeID

    /// Finds the stored identity, or enrols with the token. A token for other addresses of the same coordinator
    /// (`up` with free ports) renews the addresses.
    static func obtain(name: String, directory: String, token: JoinToken?) async throws -> NodeIdentity {
        let keyPair = try CurveKeyPair(secretKey: try KeyFile.load("\(directory)/node.key") { try CurveKeyPair.generate().secretKey })
        if let stored = try load(directory, keyPair) {
            guard let token, token.endpoints != stored.endpoints else { return stored }
            if token.endpoints.publicKey == stored.endpoints.publicKey {
                let moved = NodeIdentity(keyPair: keyPair, endpoints: token.endpoints, node: stored.node)
                try moved.store(directory)
                return moved
            }
        }
        guard let token else {
            throw StartError(
                "this node has not joined a cluster: give a token with --token-file, or in SUANPAN_JOIN_TOKEN (suanpan node token --only-token)"
            )
        }
        let node = try await AgentEnroller.enroll(token: token, keyPair: keyPair, nodeName: name)
        let identity = NodeIdentity(keyPair: keyPair, endpoints: token.endpoints, node: node)
        try identity.store(directory)
        return identity
    }

    private static func load(_ directory: String, _ keyPair: CurveKeyPair) throws -> NodeIdentity? {
        guard let data = FileManager.default.contents(atPath: "\(directory)/coordinator") else { return nil }
        var reader = CanonicalReader([UInt8](data))
        do {
            let node: NodeID = try reader.read()
            let endpoints = AgentEndpoints(
                agents: try reader.readString(), enrollment: try reader.readString(), logs: try reader.readString(),
                publicKey: try reader.readBytes())
            try reader.finish()
            return NodeIdentity(keyPair: keyPair, endpoints: endpoints, node: node)
        } catch { throw StartError("\(directory)/coordinator is damaged: remove it and join again with a new token") }
    }

    private func store(_ directory: String) throws {
        var writer = CanonicalWriter()
        writer.write(node)
        writer.write(endpoints.agents)
        writer.write(endpoints.enrollment)
        writer.write(endpoints.logs)
        writer.write(bytes: endpoints.publicKey)
        try PrivateFile.write(writer.bytes, to: "\(directory)/coordinator")
    }
}
