import ClusterModel
import Testing
import WireProtocol

@testable import ZMQTransport

@Suite("What waits to be sent")
struct OutboxTests {
    private let node = NodeID(1)
    private let other = NodeID(2)

    private func frame(_ byte: UInt8, _ count: Int = 10) -> [UInt8] { [UInt8](repeating: byte, count: count) }

    private func append(
        to outbox: Outbox, _ messages: [(node: NodeID, frame: [UInt8]?)], _ role: Outbox.Role = .plain
    ) -> Bool {
        outbox.append(messages.map { (node: $0.node, frame: $0.frame, role: role) }) == .now
    }

    private func taken(_ outbox: Outbox) -> [NodeID: [UInt8]] {
        var bytes: [NodeID: [UInt8]] = [:]
        for (node, taken) in outbox.take() {
            if case .frames(let frames, _, _) = taken { bytes[node] = frames.flatMap(\.bytes) }
        }
        return bytes
    }

    @Test("The loop is told once until it has taken everything")
    func toldOnce() {
        let outbox = Outbox(bytesMax: 1000)
        let told = [
            append(to: outbox, [(node, frame(1))]), append(to: outbox, [(node, frame(2))]), append(to: outbox, [(other, frame(3))]),
        ]
        #expect(told == [true, false, false])
        #expect(taken(outbox) == [node: frame(1) + frame(2), other: frame(3)])
        #expect(append(to: outbox, [(node, frame(4))]))
    }

    @Test("What can wait is told once, and does not hold up what cannot")
    func toldSoon() {
        let outbox = Outbox(bytesMax: 1000)
        func later(_ byte: UInt8) -> Outbox.Flush { outbox.append([(node: node, frame: frame(byte), role: .plain)], flush: .soon) }
        #expect([later(1), later(2)] == [.soon, .told])
        #expect(append(to: outbox, [(other, frame(3))]), "the loop is to look at once")
        #expect(later(4) == .told)
        #expect(taken(outbox) == [node: frame(1) + frame(2) + frame(4), other: frame(3)])
        #expect(later(5) == .soon)
    }

    @Test("What could not be sent goes first the next time")
    func restGoesFirst() {
        let outbox = Outbox(bytesMax: 1000)
        _ = append(to: outbox, [(node, frame(1))])
        _ = outbox.take()
        _ = append(to: outbox, [(node, frame(2))])
        outbox.settle(node, sent: 0, rest: [JoinedFrame(frame(1))])
        #expect(taken(outbox) == [node: frame(1) + frame(2)])
    }

    @Test("A node without room is listed again only when asked for")
    func relist() {
        let outbox = Outbox(bytesMax: 1000)
        _ = append(to: outbox, [(node, frame(1))])
        _ = outbox.take()
        outbox.settle(node, sent: 0, rest: [JoinedFrame(frame(1))])
        #expect(taken(outbox).isEmpty)
        outbox.relist(node)
        #expect(taken(outbox) == [node: frame(1)])
    }

    @Test("Bytes on their way count against the bound until they have left")
    func boundCountsWhatIsTaken() {
        let outbox = Outbox(bytesMax: 25)
        _ = append(to: outbox, [(node, frame(1)), (node, frame(2))])
        _ = outbox.take()
        _ = append(to: outbox, [(node, frame(3))])
        guard case .overflow = outbox.take().first?.1 else {
            Issue.record("30 bytes passed a bound of 25")
            return
        }
        outbox.discard(node)
        _ = append(to: outbox, [(node, frame(4))])
        #expect(taken(outbox) == [node: frame(4)])
    }

    @Test("Bytes that have left make room")
    func settledBytesMakeRoom() {
        let outbox = Outbox(bytesMax: 25)
        _ = append(to: outbox, [(node, frame(1)), (node, frame(2))])
        _ = outbox.take()
        outbox.settle(node, sent: 20, rest: [])
        _ = append(to: outbox, [(node, frame(3))])
        #expect(taken(outbox) == [node: frame(3)])
    }

    @Test("An overflow of one node is no other's concern")
    func overflowIsOneNodes() {
        let outbox = Outbox(bytesMax: 25)
        _ = append(to: outbox, [(node, frame(1, 26)), (other, frame(2))])
        #expect(taken(outbox) == [other: frame(2)])
    }

    @Test("A message that cannot be encoded costs the node its stream")
    func unencodable() {
        let outbox = Outbox(bytesMax: 1000)
        _ = append(to: outbox, [(node, frame(1)), (node, nil), (node, frame(2))])
        guard case .overflow = outbox.take().first?.1 else {
            Issue.record("a gap was sent")
            return
        }
    }

    @Test("A welcome makes void what waited before it")
    func welcomeBeginsAnew() {
        let outbox = Outbox(bytesMax: 1000)
        _ = append(to: outbox, [(node, frame(1))])
        _ = append(to: outbox, [(node, frame(2))], .welcome)
        _ = append(to: outbox, [(node, frame(3))])
        guard case .frames(let frames, let isNewSession, _) = outbox.take().first?.1 else {
            Issue.record("nothing was listed")
            return
        }
        #expect(frames.flatMap(\.bytes) == frame(2) + frame(3))
        #expect(isNewSession)
    }

    @Test("A refusal goes beside what waits for the session that goes on")
    func refusalGoesBeside() {
        let outbox = Outbox(bytesMax: 1000)
        _ = append(to: outbox, [(node, frame(1))])
        _ = append(to: outbox, [(node, frame(2))], .refusal)
        guard case .frames(let frames, let isNewSession, let refusal) = outbox.take().first?.1 else {
            Issue.record("nothing was listed")
            return
        }
        #expect(frames.flatMap(\.bytes) == frame(1))
        #expect(refusal == frame(2))
        #expect(!isNewSession)
    }

    @Test("Frames join up to the limit of the wire")
    func joining() {
        let outbox = Outbox(bytesMax: 1 << 20)
        let half = WireLimits.joinedBytesMax / 2
        _ = append(to: outbox, [(node, frame(1, half)), (node, frame(2, half)), (node, frame(3, 1))])
        guard case .frames(let frames, _, _) = outbox.take().first?.1 else { return }
        #expect(frames.map(\.bytes.count) == [2 * half, 1])
    }
}

@Suite("Who is behind a connection")
struct PeerTableTests {
    private let address = PeerAddress(host: "10.0.0.1", port: "4711")
    private let key = [UInt8](repeating: 7, count: 32)

    @Test("The end of a connection names its node")
    func endNamesTheNode() {
        var table = PeerTable()
        _ = table.accepted(5, address: address)
        #expect(table.bind(RoutingID(number: 1), descriptor: 5, key: key, node: NodeID(1)) == .bound)
        #expect(table[RoutingID(number: 1)]?.node == NodeID(1))
        #expect(table.disconnected(5)?.1.node == NodeID(1))
        #expect(table[RoutingID(number: 1)] == nil)
    }

    @Test("A connection that never spoke ends without a word")
    func silentEnd() {
        var table = PeerTable()
        _ = table.accepted(5, address: address)
        #expect(table.silentAddress(of: 5) == address)
        #expect(table.disconnected(5) == nil)
    }

    @Test("Last words of an ended connection bind to nothing")
    func lateWords() {
        var table = PeerTable()
        _ = table.accepted(5, address: address)
        _ = table.disconnected(5)
        #expect(table.bind(RoutingID(number: 1), descriptor: 5, key: key, node: NodeID(1)) == .gone)
    }

    @Test("A descriptor that the system gave out again tells the end of the former")
    func reusedDescriptor() {
        var table = PeerTable()
        _ = table.accepted(5, address: address)
        _ = table.bind(RoutingID(number: 1), descriptor: 5, key: key, node: NodeID(1))
        #expect(table.accepted(5, address: address)?.1.node == NodeID(1))
        #expect(table.bind(RoutingID(number: 2), descriptor: 5, key: key, node: NodeID(2)) == .bound)
        #expect(table.routings(of: NodeID(2)) == [RoutingID(number: 2)])
        #expect(table.routings(of: NodeID(1)).isEmpty)
    }

    @Test("A second routing id on a descriptor takes the place of the first")
    func boundInstead() {
        var table = PeerTable()
        _ = table.accepted(5, address: address)
        _ = table.bind(RoutingID(number: 1), descriptor: 5, key: key, node: NodeID(1))
        guard case .boundInstead(let former, _) = table.bind(RoutingID(number: 2), descriptor: 5, key: key, node: NodeID(1)) else {
            Issue.record("the former binding was forgotten silently")
            return
        }
        #expect(former == RoutingID(number: 1))
    }

    @Test("Only the router's own routing ids are listened to", arguments: [[0, 1, 2, 3], [1, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0], []])
    func foreignRoutingIDs(bytes: [UInt8]) {
        let routing = bytes.withUnsafeBytes { RoutingID(frame: RawSpan(_unsafeBytes: $0)) }
        #expect(routing == nil)
    }
}

@Suite("How often a stranger may knock")
struct RateLimiterTests {
    private let start = ContinuousClock.now

    @Test("A burst, then the rate")
    func bucket() {
        var bucket = TokenBucket(perSecond: 2, burst: 3, now: start)
        let atOnce = (0..<5).map { _ in bucket.take(now: start) }
        #expect(atOnce == [true, true, true, false, false])
        let later = (0..<3).map { _ in bucket.take(now: start + .seconds(1)) }
        #expect(later == [true, true, false])
    }

    @Test("A clock that goes back grants nothing")
    func clockGoesBack() {
        var bucket = TokenBucket(perSecond: 1, burst: 1, now: start)
        let first = bucket.take(now: start)
        let back = bucket.take(now: start - .seconds(100))
        #expect(first && !back)
    }

    @Test("One key is limited, others are not")
    func perKey() {
        var limiter = EnrollmentLimiter(now: start)
        let one = (0..<10).count { _ in limiter.allows(key: "a", host: "h", now: start) }
        let other = limiter.allows(key: "b", host: "h", now: start)
        #expect(one == 5 && other)
    }

    @Test("An address is limited whatever keys it brings; another still gets in")
    func perHost() {
        var limiter = EnrollmentLimiter(now: start)
        let one = (0..<300).count { limiter.allows(key: "\($0)", host: "h", now: start) }
        let other = limiter.allows(key: "x", host: "i", now: start)
        #expect(one == 200 && other)
    }

    @Test("The table is bounded: a newcomer waits until another has refilled")
    func boundedTable() {
        var limiter = EnrollmentLimiter(now: start)
        for number in 0..<5000 { _ = limiter.allows(key: "\(number)", host: "host-\(number)", now: start) }
        let refused = limiter.allows(key: "late", host: "late", now: start)
        let taken = limiter.allows(key: "late", host: "late", now: start + .seconds(60))
        #expect(!refused && taken)
    }
}
