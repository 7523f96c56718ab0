import ClusterModel
import Placement
import SchedulerTestKit
import SchedulingCore
import Testing

/// A token says where its nodes belong, whatever their agents claim.
@Suite struct MembershipTests {
    private static let lab = NodeMembership(center: Center(id: "lab"), pool: "a100", labels: [NamedText("rack", "r1")])
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

    @Test func taintsKeepOffJobsThatDoNotNameThem() throws {
        var harness = ClusterHarness()
        _ = harness.perform(Self.token(NodeMembership(taints: ["reserved"])))
        let (_, result) = harness.perform(
            .enroll(tokenID: Self.tokenID, publicKey: [UInt8](repeating: 0xEE, count: 32), nodeName: "worker"))
        guard case .success(.node(let id)) = result else { throw NotEnrolled() }
        _ = harness.register(id, Build.node("worker"))
        let (_, refused) = harness.perform(.submit(Submission(specification: Build.job(), user: "u", key: nil)))
        guard case .failure(.unsatisfiable(let errors)) = refused else { return #expect(Bool(false), "\(String(describing: refused))") }
        #expect(errors.map(\.field) == ["groups[0].constraints"])
        _ = harness.submit(Build.job(constraints: [Constraint(key: "reserved", comparison: .present)]))
        let standing = harness.loop.core.standing(of: id)
        #expect(standing?.liveAttempts.count == 1)
    }

    // MARK: Centers

    private static let beijing = Center(id: "bj", name: "Beijing 1", province: "Beijing", city: "Beijing", hasNetAccess: true)

    @Test func aCenterIsTheSameForAllItsTokens() throws {
        var harness = ClusterHarness()
        _ = harness.perform(Self.token(NodeMembership(center: Self.beijing)))
        func make(_ byte: UInt8, _ center: Center) -> Command {
            .createJoinToken(
                JoinTokenRecord(
                    id: [UInt8](repeating: byte, count: 16), verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture,
                    usesLeft: 2, namePrefix: "", membership: NodeMembership(center: center)))
        }
        let (_, bare) = harness.perform(make(6, Center(id: "bj")))
        guard case .success = bare else { return #expect(Bool(false), "\(String(describing: bare))") }
        #expect(harness.loop.core.joinToken([UInt8](repeating: 6, count: 16))?.membership.center == Self.beijing)
        let (_, other) = harness.perform(make(7, Center(id: "bj", city: "Tianjin")))
        guard case .failure(.conflict(let text)) = other else { return #expect(Bool(false), "\(String(describing: other))") }
        #expect(text.contains("'bj' is known already (Beijing 1, Beijing, Beijing; with network access)"))
    }

    @Test func jobsNameCandidateCentersAndTheirNeedOfTheInternet() throws {
        var harness = ClusterHarness()
        func join(_ byte: UInt8, _ center: Center, _ harness: inout ClusterHarness) throws -> NodeID {
            let id = [UInt8](repeating: byte, count: 16)
            _ = harness.perform(
                .createJoinToken(
                    JoinTokenRecord(
                        id: id, verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 2, namePrefix: "",
                        membership: NodeMembership(center: center))))
            let (_, result) = harness.perform(
                .enroll(tokenID: id, publicKey: [UInt8](repeating: byte, count: 32), nodeName: center.id))
            guard case .success(.node(let node)) = result else { throw NotEnrolled() }
            _ = harness.register(node, Build.node(center.id))
            return node
        }
        let near = try join(0xE1, Self.beijing, &harness)
        let far = try join(0xE2, Center(id: "sh"), &harness)
        var job = Build.job()
        job.centers = ["sh", "gz"]
        _ = harness.submit(job)
        #expect(harness.loop.core.standing(of: far)?.liveAttempts.count == 1)
        job.centers = []
        job.needsInternet = true
        _ = harness.submit(job)
        #expect(harness.loop.core.standing(of: near)?.liveAttempts.count == 1)
    }

    /// Whatever the agent says, by label or by taint, its center has the word on the network; and without a center nobody has.
    @Test func anAgentClaimsNoNetworkAgainstItsCenter() {
        let labels = NodeMembership(center: Center(id: "sh")).labels(over: [NamedText("internet", "true")])
        #expect(labels == [NamedText("center", "sh")])
        #expect(NodeMembership.none.labels(over: [NamedText("internet", "true")]).isEmpty)
        #expect(NodeMembership(taints: ["reserved"]).taints(over: ["internet", "pool", "mine"]) == ["mine", "reserved"])
    }

    /// Nodes that came before their center was described have what is said of it when they register anew.
    @Test func whatIsSaidOfACenterHoldsForNodesThatCameBefore() throws {
        var harness = ClusterHarness()
        func token(_ byte: UInt8, _ center: Center) -> Command {
            .createJoinToken(
                JoinTokenRecord(
                    id: [UInt8](repeating: byte, count: 16), verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture,
                    usesLeft: 2, namePrefix: "", membership: NodeMembership(center: center)))
        }
        _ = harness.perform(token(6, Center(id: "bj")))
        let (_, result) = harness.perform(
            .enroll(
                tokenID: [UInt8](repeating: 6, count: 16), publicKey: [UInt8](repeating: 0xEE, count: 32), nodeName: "worker"))
        guard case .success(.node(let id)) = result else { throw NotEnrolled() }
        _ = harness.register(id, Build.node("worker"))
        #expect(harness.loop.core.standing(of: id)?.offer?.inventory.labels == [NamedText("center", "bj")])
        _ = harness.perform(token(7, Self.beijing))
        _ = harness.register(id, Build.node("worker"))
        #expect(harness.loop.core.standing(of: id)?.offer?.inventory.labels.contains(NamedText("internet", "true")) == true)
    }

    @Test(arguments: [
        (NodeMembership(taints: ["simulated"]), "taints"), (NodeMembership(center: Center(id: "x", city: "a\u{7}")), "city"),
        (NodeMembership(center: Center(id: "Not a name")), "center"), (NodeMembership(pool: "-"), "pool"),
        (NodeMembership(labels: [NamedText("node", "x")]), "labels"), (NodeMembership(labels: [NamedText("center", "x")]), "labels"),
        (NodeMembership(labels: [NamedText("a", "1"), NamedText("a", "2")]), "labels"),
    ]) func aWrongMembershipIsRefused(membership: NodeMembership, field: String) {
        var harness = ClusterHarness()
        let (_, result) = harness.perform(Self.token(membership))
        guard case .failure(.invalid(let errors)) = result else { return #expect(Bool(false), "\(String(describing: result))") }
        #expect(errors.map(\.field) == [field])
    }
}
