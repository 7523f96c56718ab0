import ClusterModel
import Placement
import SchedulerTestKit
import SchedulingCore
import Testing

/// A token says where its nodes belong, whatever their agents claim.
@Suite struct MembershipTests {
    private static let lab = NodeMembership(center: "lab", pool: "a100", labels: [NamedText("rack", "r1")])
    private static let tokenID = [UInt8](repeating: 5, count: 16)

    private static func token(_ membership: NodeMembership) -> Command {
        .createJoinToken(
            JoinTokenRecord(
                id: tokenID, verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 2, namePrefix: "",
                membership: membership))
    }

    /// A node that enrolled with the token, and registered with labels of its own.
    private static func join(_ harness: inout ClusterHarness, claiming labels: [NamedText]) throws -> NodeID {
        _ = harness.perform(token(lab))
        let (_, result) = harness.perform(
            .enroll(tokenID: tokenID, publicKey: [UInt8](repeating: 0xEE, count: 32), nodeName: "worker"))
        guard case .success(.node(let id)) = result else { throw NotEnrolled() }
        _ = harness.register(id, Build.node("worker", labels: labels))
        return id
    }

    private struct NotEnrolled: Error {}

    @Test func centerPoolAndLabelsComeFromTheToken() throws {
        var harness = ClusterHarness()
        let claims = [NamedText("center", "elsewhere"), NamedText("rack", "r9"), NamedText("zone", "a")]
        let id = try Self.join(&harness, claiming: claims)
        let standing = harness.loop.core.standing(of: id)
        #expect(standing?.membership == Self.lab)
        #expect(
            standing?.offer?.inventory.labels == [
                NamedText("center", "lab"), NamedText("pool", "a100"), NamedText("rack", "r1"), NamedText("zone", "a"),
            ])
    }

    @Test func aNodeWithoutACenterCannotClaimOne() {
        let labels = NodeMembership.none.labels(over: [NamedText("center", "lab"), NamedText("pool", "p"), NamedText("zone", "a")])
        #expect(labels == [NamedText("zone", "a")])
    }

    @Test func constraintsFindTheCenter() throws {
        var harness = ClusterHarness()
        let id = try Self.join(&harness, claiming: [])
        _ = harness.addNode(Build.node("other", labels: [NamedText("center", "lab")]))
        let here = Constraint(key: "center", comparison: .equals, value: "lab")
        for _ in 0..<3 { _ = harness.submit(Build.job(constraints: [here])) }
        let standing = harness.loop.core.standing(of: id)
        #expect(standing?.liveAttempts.count == 3)
    }

    @Test func theSnapshotKeepsIt() throws {
        var harness = ClusterHarness()
        let id = try Self.join(&harness, claiming: [])
        _ = harness.perform(.drainNode(id, within: .seconds(60)))
        let copy = try SchedulerCore(snapshot: harness.loop.core.snapshot())
        let (standing, token) = (copy.standing(of: id), copy.joinToken(Self.tokenID))
        #expect(standing?.membership == Self.lab)
        #expect(token?.membership == Self.lab)
        let (wake, bytes) = (harness.loop.core.nextWake, harness.loop.core.snapshot())
        #expect(copy.nextWake == wake)
        #expect(copy.snapshot() == bytes)
    }

    @Test(arguments: [
        (NodeMembership(center: "Not a name"), "center"), (NodeMembership(pool: "-"), "pool"),
        (NodeMembership(labels: [NamedText("node", "x")]), "labels"), (NodeMembership(labels: [NamedText("center", "x")]), "labels"),
        (NodeMembership(labels: [NamedText("a", "1"), NamedText("a", "2")]), "labels"),
    ]) func aWrongMembershipIsRefused(membership: NodeMembership, field: String) {
        var harness = ClusterHarness()
        let (_, result) = harness.perform(Self.token(membership))
        guard case .failure(.invalid(let errors)) = result else { return #expect(Bool(false), "\(String(describing: result))") }
        #expect(errors.map(\.field) == [field])
    }
}
