import ClusterModel
import ClusterPorts
import Testing

@testable import CoordinatorComposition

/// Fault F26: what an agent says of the coordinator's state is believed only in the coordinator's own words.
@Suite struct StateMarkTests {
    private let sealer = SecretBox(key: [UInt8](repeating: 1, count: 32))
    private let node = NodeID(7)
    private let seen = SeenState(epoch: Epoch(3), revision: 1 << 40, session: SessionID(12))

    @Test func aMarkTellsItsNodeWhatItWasTold() {
        #expect(sealer.seen(in: sealer.mark(seen, for: node), by: node) == seen)
        #expect(sealer.mark(seen, for: node).count <= 64)
    }

    @Test func nobodyElseCanShowIt() {
        #expect(sealer.seen(in: sealer.mark(seen, for: node), by: NodeID(8)) == SeenState())
        #expect(SecretBox(key: [UInt8](repeating: 2, count: 32)).seen(in: sealer.mark(seen, for: node), by: node) == SeenState())
    }

    @Test func aByteChangedMakesItNothing() {
        let mark = sealer.mark(seen, for: node)
        for position in mark.indices {
            var changed = mark
            changed[position] ^= 1
            #expect(sealer.seen(in: changed, by: node) == SeenState(), "byte \(position)")
        }
        for count in 0..<mark.count { #expect(sealer.seen(in: Array(mark.prefix(count)), by: node) == SeenState()) }
        #expect(sealer.seen(in: mark + [0], by: node) == SeenState())
    }
}
