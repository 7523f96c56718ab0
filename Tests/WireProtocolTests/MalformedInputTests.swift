import ClusterModel
import Testing

@testable import WireProtocol

@Suite("Whatever a peer sends")
struct MalformedInputTests {
    @Test("Unset bodies, unknown tags and numbers out of range are named")
    func named() throws {
        #expect(throws: WireError.missing("body")) { try Decode.agentMessages([0x0A, 0x00]) }
        #expect(throws: WireError.missing("body")) { try Decode.coordinatorMessages([0x0A, 0x00]) }
        #expect(throws: WireError.malformed) { try Decode.agentMessages([0xFF]) }
        #expect(throws: WireError.outOfRange("cause")) { try status { $0.ended.cause = .UNRECOGNIZED(200) } }
        #expect(throws: WireError.outOfRange("cause")) { try status { $0.ended.cause = .UNRECOGNIZED(-1) } }
        #expect(throws: WireError.outOfRange("cause")) { try status { $0.ended.cause = .unspecified } }
        #expect(throws: WireError.outOfRange("exit_code")) { try status { $0.ended.exitCode = 256 } }
        #expect(throws: WireError.outOfRange("elapsed")) { try status { $0.ended.elapsed = .max } }
        #expect(throws: WireError.outOfRange("attempt")) { try status { $0.number = 0 } }
        #expect(throws: WireError.missing("phase")) { try status { $0.phase = nil } }
    }

    @Test("Text that the kernel would cut is refused")
    func zeroByte() throws {
        var template = Samples.template
        template.command = ["/bin/sh", "a\0b"]
        let message = Samples.command(.start(StartBatch(job: JobID(12), template: template, starts: [])))
        let frame = try WireFrame.encode(message)
        #expect(throws: WireError.outOfRange("command")) { try Decode.coordinatorMessages(frame) }
    }

    @Test("A frame beyond the limit is neither made nor read")
    func oversized() throws {
        var template = Samples.template
        template.command = [String(repeating: "x", count: WireLimits.frameBytesMax)]
        let message = Samples.command(.start(StartBatch(job: JobID(12), template: template, starts: [])))
        #expect(throws: WireError.self) { try WireFrame.encode(message) }
        let frame = [UInt8](repeating: 0, count: WireLimits.frameBytesMax + 1)
        #expect(throws: WireError.oversized(bytes: frame.count, limit: WireLimits.frameBytesMax)) {
            try Decode.agentMessages(frame)
        }
    }

    /// A bitmap of them is as long as the highest is large.
    @Test("Processors are in order, and none is absurd", arguments: [[UInt32.max], [3, 3], [4, 3]])
    func processors(_ processors: [UInt32]) throws {
        var batch = try WireStartBatch(
            StartBatch(job: JobID(12), template: Samples.template, starts: [Samples.start(rank: 0, nodes: ["a"])]))
        batch.starts[0].processors = processors
        let broken = batch
        #expect(throws: WireError.outOfRange("processors")) { try broken.checked() }
    }

    @Test("A place in a gang names a list that is there")
    func nodeList() throws {
        var batch = try WireStartBatch(
            StartBatch(job: JobID(12), template: Samples.template, starts: [Samples.start(rank: 0, nodes: ["a"])]))
        batch.nodeLists = []
        let broken = batch
        #expect(throws: WireError.outOfRange("node_list")) { try broken.checked() }
    }

    /// The seed is in the test's name: a failure is repeated by running it alone.
    @Test("Mutated frames decode or are refused, and never trap", arguments: 1...20 as ClosedRange<UInt64>)
    func mutations(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var frames = try Samples.agentMessages.map { try WireFrame.encode($0) }
        frames += try Samples.coordinatorMessages.map { try WireFrame.encode($0) }
        frames += [try WireFrame.encode(Samples.chunk), try WireFrame.encode(Samples.ack)]
        frames.append(try WireEnrollment.encode(.refused(code: "a", message: "b")))
        var taken = 0
        for _ in 0..<2000 {
            let frame = random.mutation(of: frames)
            if let messages = try? Decode.agentMessages(frame) {
                taken += 1
                // What was taken can be said again, and is understood the same.
                for message in messages { #expect(try Decode.agentMessages(try WireFrame.encode(message)) == [message]) }
            }
            if let messages = try? Decode.coordinatorMessages(frame) {
                taken += 1
                for message in messages {
                    #expect(try Decode.coordinatorMessages(try WireFrame.encode(message)) == [message])
                }
            }
            _ = try? Decode.logChunk(frame)
            _ = try? Decode.logAcks(frame)
            _ = try? Decode.request(frame)
            _ = try? Decode.answer(frame)
        }
        #expect(taken > 0)
    }

    private func status(_ change: (inout WireAttemptStatus) -> Void) throws {
        var status = WireAttemptStatus(AttemptStatus(attempt: Samples.attempt, fence: Fence(1), phase: .ended(Samples.end)))
        change(&status)
        _ = try status.checked()
    }
}

/// SplitMix64: the same seed gives the same frames everywhere.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func mutation(of frames: [[UInt8]]) -> [UInt8] {
        var frame = frames[Int.random(in: 0..<frames.count, using: &self)]
        for _ in 0...Int.random(in: 0..<4, using: &self) {
            let position = Int.random(in: 0..<max(1, frame.count), using: &self)
            switch Int.random(in: 0..<5, using: &self) {
            case 0 where !frame.isEmpty: frame[position] = UInt8.random(in: 0...255, using: &self)
            case 1 where !frame.isEmpty: frame[position] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2 where !frame.isEmpty: frame.removeSubrange(position...)
            case 3: frame.insert(UInt8.random(in: 0...255, using: &self), at: min(position, frame.count))
            default: frame += frames[Int.random(in: 0..<frames.count, using: &self)].prefix(position)
            }
        }
        return frame
    }
}
