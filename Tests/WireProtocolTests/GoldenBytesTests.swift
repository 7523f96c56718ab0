import ClusterModel
import Testing
import WireProtocol

/// The bytes of version 1. A change here is a change of the protocol: agents and coordinators of different releases meet.
@Suite("Golden bytes")
struct GoldenBytesTests {
    @Test("Agent messages", arguments: zip(Samples.agentMessages, GoldenBytes.agent))
    func agent(message: AgentMessage, golden: String) throws {
        let actual = hexadecimal(try WireFrame.encode(message))
        #expect(actual == golden)
    }

    @Test("Coordinator messages", arguments: zip(Samples.coordinatorMessages, GoldenBytes.coordinator))
    func coordinator(message: CoordinatorMessage, golden: String) throws {
        let actual = hexadecimal(try WireFrame.encode(message))
        #expect(actual == golden)
    }

    @Test("Logs and enrolment")
    func others() throws {
        #expect(GoldenBytes.agent.count == Samples.agentMessages.count)
        #expect(GoldenBytes.coordinator.count == Samples.coordinatorMessages.count)
        #expect(hexadecimal(try WireFrame.encode(Samples.chunk)) == "080c1003180120022833320241423801")
        #expect(hexadecimal(try WireFrame.encode(Samples.ack)) == "0a0c080c100318012001283d3001")
        #expect(hexadecimal(try WireEnrollment.encode(.accepted(node: 300))) == "08ac02")
        #expect(hexadecimal(try WireEnrollment.encode(.refused(code: "a", message: "b"))) == "12060a0161120162")
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
