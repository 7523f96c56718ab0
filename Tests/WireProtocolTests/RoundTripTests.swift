import ClusterModel
import Testing

@testable import WireProtocol

@Suite("Messages there and back")
struct RoundTripTests {
    @Test("Agent messages", arguments: Samples.agentMessages)
    func agent(message: AgentMessage) throws {
        #expect(try Decode.agentMessages(try WireFrame.encode(message)) == [message])
    }

    @Test("Coordinator messages", arguments: Samples.coordinatorMessages)
    func coordinator(message: CoordinatorMessage) throws {
        #expect(try Decode.coordinatorMessages(try WireFrame.encode(message)) == [message])
    }

    @Test("Chunks, acknowledgements, enrolment")
    func others() throws {
        #expect(try Decode.logChunk(try WireFrame.encode(Samples.chunk)) == Samples.chunk)
        #expect(try Decode.logAcks(try WireFrame.encode(Samples.ack)) == [Samples.ack])
        let request = WireEnrollment.Request(
            tokenID: [UInt8](repeating: 1, count: 16), publicKey: [UInt8](repeating: 2, count: 32), nodeName: "n",
            proof: [UInt8](repeating: 3, count: 32))
        #expect(try Decode.request(try WireEnrollment.encode(request)) == request)
        for answer in [WireEnrollment.Answer.accepted(node: 7), .refused(code: "proof", message: "no")] {
            #expect(try Decode.answer(try WireEnrollment.encode(answer)) == answer)
        }
    }

    @Test("Frames joined end to end are a frame")
    func joined() throws {
        let up = try Samples.agentMessages.flatMap { try WireFrame.encode($0) }
        #expect(try Decode.agentMessages(up) == Samples.agentMessages)
        let down = try Samples.coordinatorMessages.flatMap { try WireFrame.encode($0) }
        #expect(try Decode.coordinatorMessages(down) == Samples.coordinatorMessages)
    }

    @Test("A gang's node list travels once")
    func nodeListOnce() throws {
        let nodes = (0..<1000).map { "node-with-a-long-name-\($0)" }
        let starts = (0..<8).map { Samples.start(rank: $0, nodes: nodes) }
        let message = Samples.command(.start(StartBatch(job: JobID(12), template: Samples.template, starts: starts)))
        let frame = try WireFrame.encode(message)
        #expect(frame.count < 32_000)
        #expect(try Decode.coordinatorMessages(frame) == [message])
    }

    @Test("Every tag of the model has its number in the protocol")
    func tags() {
        for reason in Reason.allCases {
            #expect(WireReason(rawValue: Int(reason.rawValue)).map { WireReason.allCases.contains($0) } == true)
        }
        #expect(WireReason.allCases.count == Reason.allCases.count)
        #expect(WireDeviceKind.allCases.count == DeviceKind.allCases.count + 1)
        #expect(WireNodeLossPolicy.allCases.count == NodeLossPolicy.allCases.count + 1)
        for cause in WireAttemptEnd.Cause.allCases {
            #expect((AttemptEnd.Cause(rawValue: UInt8(cause.rawValue)) == nil) == (cause == .unspecified))
        }
        for code in WireRefusal.Code.allCases { #expect((Refusal.Code(rawValue: UInt8(code.rawValue)) == nil) == (code == .unspecified)) }
    }

    @Test("What is too long for its field is shortened where a refusal would repeat for ever")
    func shortened() throws {
        var end = Samples.end
        end.detail = String(repeating: "é", count: 200)
        let report = AgentMessage.report(
            AttemptReport(session: SessionID(1), statuses: [AttemptStatus(attempt: Samples.attempt, fence: Fence(1), phase: .ended(end))]))
        end.detail = String(repeating: "é", count: 128)
        let expected = AgentMessage.report(
            AttemptReport(session: SessionID(1), statuses: [AttemptStatus(attempt: Samples.attempt, fence: Fence(1), phase: .ended(end))]))
        #expect(try Decode.agentMessages(try WireFrame.encode(report)) == [expected])
    }
}
