import ClusterModel
import HTTPTypes
import HummingbirdTesting
import Metering
import Testing

@testable import ControlAPI

@Suite("Usage")
struct UsageTests {
    @Test("records tell every field, in the order of the ledger")
    func records() async throws {
        try await Interface.run { interface async throws in
            interface.plane.change { $0.usage = (1...5).map { Fixture.usage($0, job: $0 == 4 ? 2 : 1) } }
            let page = try await interface.get("/v1/usage/records?limit=2&after=1", as: .billing).json()
            #expect(page["items"]?.items?.map { $0["sequence"] } == [.number(2), .number(3)])
            #expect(page["nextCursor"] == .string("3"))
            #expect(page["closedThrough"] == .string("2026-01-31T07:00:00Z"))
            let record = try #require(page["items"]?[0])
            #expect(record["recordId"] == .string(String(repeating: "02", count: 16)))
            #expect(record["previousHash"] == .string(String(repeating: "00", count: 32)))
            #expect(record["start"] == .string("2026-01-31T08:30:00.25Z") && record["end"] == .string("2026-01-31T08:30:05.25Z"))
            #expect(record["measured"]?["cpuTimeNanoseconds"] == .number(4e9))
            #expect(record["attempt"] == .string("1.0.1") && record["endReason"] == .string("completed"))
            #expect(record["billable"] == .bool(true) && record["final"] == .bool(true))
            #expect(try await interface.get("/v1/usage/records?job=2", as: .billing).json()["items"]?.items?.count == 1)
            for bad in ["after=-1", "after=x", "limit=1001", "job=0", "job=x", "cursor=3"] {
                #expect(try await interface.get("/v1/usage/records?\(bad)", as: .billing).status == .badRequest, "\(bad)")
            }
        }
    }

    @Test("sums by group and time")
    func summary() async throws {
        try await Interface.run { interface async throws in
            interface.plane.change { $0.usage = [Fixture.usage(1)] }
            let sums = try await interface.get("/v1/usage/summary?groupBy=user&from=2026-01-31T00:00:00Z", as: .billing).json()
            #expect(sums["groupBy"] == .string("user") && sums["from"] == .string("2026-01-31T00:00:00Z") && sums["to"] == .null)
            #expect(sums["items"]?[0]?["memoryMiBSeconds"] == .number(20))
            for bad in ["groupBy=colour", "from=yesterday", "from=2026-01-31T00:00:00Z&to=2026-01-30T00:00:00Z"] {
                #expect(try await interface.get("/v1/usage/summary?\(bad)", as: .billing).status == .badRequest, "\(bad)")
            }
        }
    }

    @Test("the checkpoint is the last record's hash, however long the ledger", arguments: [0, 1, 2, 3, 7, 8, 9, 100])
    func checkpoint(_ count: Int) async throws {
        try await Interface.run { interface async throws in
            interface.plane.change { state in
                state.usage = (0..<count).map {
                    var record = Fixture.usage(1)
                    record.sequence = UInt64($0) + 1
                    return record
                }
            }
            let head = try await interface.get("/v1/usage/checkpoint", as: .billing).json()
            #expect(head["sequence"] == .number(Double(count)))
            let hash = try #require(head["hash"]?.text)
            #expect(hash.count == 64 && (hash == String(repeating: "0", count: 64)) == (count == 0))
        }
    }
}
