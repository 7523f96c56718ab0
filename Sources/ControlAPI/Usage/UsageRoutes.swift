import ClusterModel
import ClusterPorts
import Crypto
import HTTPTypes
import Hummingbird
import Metering

extension ControlRouter {
    static var usage: [Endpoint] {
        [
            Endpoint(.get, "/v1/usage/records", .readingUsage, query: ["after", "limit", "job"]) { call in try await records(call) },
            Endpoint(.get, "/v1/usage/summary", .readingUsage, query: ["groupBy", "from", "to"]) { call in try await summary(call) },
            Endpoint(.get, "/v1/usage/checkpoint", .readingUsage) { call in try await checkpoint(call) },
        ]
    }

    private static func records(_ call: Call) async throws -> Response {
        let limit = try call.query.limit()
        let after: UInt64 = try call.query.integer("after", 0...UInt64(Int64.max)) ?? 0
        var job: JobID?
        if let text = call.query.text("job") {
            guard let id = JobID(parsing: text) else {
                throw Problem.invalid("job", "'\(text.prefix(80))' — expected the number of a job")
            }
            job = id
        }
        // Taken before the rows: what is said to be closed must be in them.
        let closedThrough = UsageClosing.closedThrough(at: call.controlPlane.now())
        let rows = try await call.controlPlane.reads.usage(after: after, limit: limit + 1, job: job, call.principal.visibility)
        let page = rows.prefix(limit)
        return call.json(
            JSONWriter.object(capacity: 64 << 10) { writer in
                writer.member("items", items: page) { writer, record in writer.object { record.write(to: &$0) } }
                writer.member("nextCursor", rows.count > limit ? page.last.map { String($0.sequence) } : nil)
                writer.member("closedThrough", closedThrough)
            })
    }

    private static func summary(_ call: Call) async throws -> Response {
        let grouping: UsageGrouping = try call.query.choice("groupBy", named: \UsageGrouping.rawValue) ?? .tenant
        let from = try call.query.time("from")
        let to = try call.query.time("to")
        if let from, let to, to <= from { throw Problem.invalid("to", "must be later than 'from'") }
        let closedThrough = UsageClosing.closedThrough(at: call.controlPlane.now())
        let rows = try await call.controlPlane.reads.usageSummary(by: grouping, from: from, to: to, call.principal.visibility)
        return call.json(
            JSONWriter.object(capacity: 16 << 10) { writer in
                writer.member("groupBy", grouping.rawValue)
                writer.member("from", from)
                writer.member("to", to)
                writer.member("closedThrough", closedThrough)
                writer.member("items", items: rows) { writer, row in
                    writer.object {
                        $0.member("group", row.group)
                        $0.member("simulated", row.isSimulated)
                        $0.member("records", row.records)
                        $0.member("cpuMilliSeconds", row.cpuMilliSeconds)
                        $0.member("memoryMiBSeconds", row.memoryMiBSeconds)
                        $0.member("deviceMilliSeconds", row.deviceMilliSeconds)
                        $0.member("measuredCpuSeconds", row.measuredCPUSeconds)
                    }
                }
            })
    }

    /// The head of the hash chain: whoever keeps it can later prove that no record before it was changed.
    private static func checkpoint(_ call: Call) async throws -> Response {
        let head = try await UsageClosing.head(of: call.controlPlane.reads)
        return call.json(
            JSONWriter.object { writer in
                writer.member("clusterId", Hexadecimal.text(call.controlPlane.cluster().clusterID))
                writer.member("sequence", head?.sequence ?? 0)
                writer.member("hash", Hexadecimal.text(head.map(UsageClosing.hash(of:)) ?? [UInt8](repeating: 0, count: 32)))
            })
    }
}

/// What can be said about the end of the ledger.
enum UsageClosing {
    /// The hour before the one that runs: cuts are made at each hour and their rows follow within seconds, so a whole
    /// hour later they are all there.
    static func closedThrough(at now: LogicalTime) -> LogicalTime {
        LogicalTime(nanoseconds: now.nextHour.nanoseconds - 2 * Span.hour.nanoseconds)
    }

    /// The last record. Sequence numbers have no gaps, so doubling and halving finds it in a few dozen lookups.
    static func head(of reads: some ReadModel) async throws(JournalError) -> UsageRecord? {
        guard var last = try await reads.usage(after: 0, limit: 1, job: nil, .all).first else { return nil }
        var step: UInt64 = 1
        while let next = try await reads.usage(after: last.sequence + step, limit: 1, job: nil, .all).first {
            last = next
            step *= 2
        }
        while step > 0 {
            if let next = try await reads.usage(after: last.sequence + step - 1, limit: 1, job: nil, .all).first {
                last = next
            } else {
                step /= 2
            }
        }
        return last
    }

    static func hash(of record: UsageRecord) -> [UInt8] {
        var writer = CanonicalWriter()
        writer.write(record)
        return Array(SHA256.hash(data: writer.bytes))
    }
}
