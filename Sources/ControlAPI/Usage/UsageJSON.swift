import ClusterModel
import Metering

extension UsageRecord {
    /// Every field of the canonical bytes, as integers and text, so that a reader can rebuild and verify them.
    func write(to writer: inout JSONWriter) {
        writer.member("sequence", sequence)
        writer.member("recordId", Hexadecimal.text(recordID))
        writer.member("schema", schema)
        writer.member("revision", revision)
        writer.member("final", isFinal)
        writer.member("previousHash", Hexadecimal.text(previousHash))
        writer.member("attempt", segment.attempt.description)
        writer.member("segment", segment.number)
        writer.member("tenant", segment.tenant)
        writer.member("project", segment.project)
        writer.member("user", segment.user)
        writer.member("nodeId", segment.node.description)
        writer.member("node", segment.nodeName)
        writer.member("simulated", segment.isSimulated)
        writer.member("fence", segment.fence.value)
        writer.member("requested") { segment.requested.write(to: &$0) }
        writer.member("allocated") { segment.allocated.write(to: &$0) }
        writer.member("deviceModels", strings: segment.deviceModels)
        writer.member("start", segment.start)
        writer.member("end", segment.end)
        writer.member("endReason", segment.endReason.name)
        writer.member("billable", segment.isBillable)
        writer.member("billingRule", segment.billingRule)
        guard let measured = segment.measured else {
            writer.null("measured")
            return
        }
        writer.member("measured") {
            $0.member("elapsedNanoseconds", measured.elapsed.nanoseconds)
            $0.member("cpuTimeNanoseconds", measured.cpuTime.nanoseconds)
            $0.member("memoryPeakBytes", measured.memoryPeakBytes)
        }
    }
}
