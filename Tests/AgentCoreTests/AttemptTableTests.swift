import ClusterModel
import Testing

@testable import AgentCore

@Suite struct AttemptTableTests {
    private func id(_ number: UInt64) -> AttemptID { AttemptID(job: JobID(number), index: 0, number: 1) }

    private func attempt(repeatedAt instant: Int64?, onNodeLost: NodeLossPolicy = .wait) -> LocalAttempt {
        LocalAttempt(
            fence: Fence(1), phase: .running(since: 0),
            terms: AttemptTerms(timeLimit: nil, grace: .seconds(30), onNodeLost: onNodeLost), endReportAt: instant)
    }

    /// Against a look at every attempt, while alarms are set, moved, taken and forgotten.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func theEarliestAlarmIsThatOfALookAtAll(_ seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var table = AttemptTable()
        var known: [AttemptID: LocalAttempt] = [:]
        var now: Int64 = 0
        for _ in 0..<3000 {
            let id = id(next(40) + 1)
            switch next(8) {
            case 0:
                table[id] = nil
                known[id] = nil
            case 1:
                now += Int64(next(30))
                let due = table.takeDue(at: now)
                #expect(due == known.keys.filter { known[$0]!.alarm <= now }.sorted())
                for id in due {
                    known[id]?.endReportAt = now + 1 + Int64(next(50))
                    table[id] = known[id]
                }
            default:
                let instant = next(4) == 0 ? nil : now + 1 + Int64(next(100))
                known[id] = attempt(repeatedAt: instant, onNodeLost: next(2) == 0 ? .wait : .replace)
                table[id] = known[id]
            }
            #expect(table.earliestAlarm == known.values.map(\.alarm).min() ?? .max)
            #expect(table.dependsOnLease == Set(known.filter { $0.value.dependsOnLease }.keys))
            #expect(table.ids == known.keys.sorted())
        }
    }

    /// An alarm that is moved a thousand times leaves no thousand alarms behind.
    @Test func movedAlarmsDoNotPileUp() {
        var table = AttemptTable()
        table[id(1)] = attempt(repeatedAt: 1)
        for instant in 1...100_000 as ClosedRange<Int64> { table[id(2)] = attempt(repeatedAt: 1_000_000 - instant) }
        #expect(table.alarmCount <= 2 * 2 + 64)
        #expect(table.earliestAlarm == 1)
    }
}
