import AgentCore
import ClusterModel
import Glibc
import Synchronization
import TaskDrivers
import Testing

/// Virtual time: what is scheduled runs when the test says so, in order of its time.
private final class VirtualClock: Sendable {
    private struct Item {
        let at: Int64
        let body: @Sendable () -> Void
    }

    private let state = Mutex((now: Int64(0), items: [Item]()))

    var now: Int64 { state.withLock { $0.now } }

    func schedule(_ delay: Int64, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.items.append(Item(at: $0.now + delay, body: body)) }
    }

    func advance(to time: Int64) {
        while let item = next(until: time) { item.body() }
        state.withLock { $0.now = time }
    }

    private func next(until time: Int64) -> Item? {
        state.withLock { state in
            guard let place = state.items.indices.min(by: { state.items[$0].at < state.items[$1].at }), state.items[place].at <= time
            else { return nil }
            state.now = max(state.now, state.items[place].at)
            return state.items.remove(at: place)
        }
    }
}

@Suite struct SimulatedDriverTests {
    private let clock = VirtualClock()
    private let log = EventLog()

    private func makeDriver() throws -> SimulatedDriver {
        let driver = SimulatedDriver(schedule: { [clock] in clock.schedule($0, $1) }, bootTime: { [clock] in clock.now })
        try driver.start { [log] in log.append($0) }
        clock.advance(to: 0)
        return driver
    }

    @Test func attemptsLastAsLongAsTheirEnvironmentSays() throws {
        let driver = try makeDriver()
        driver.launch([order(0, ["x"], environment: ["SUANPAN_SIM_SECONDS=2.5", "SUANPAN_SIM_EXIT=3"]), order(1, ["x"], environment: [])])
        clock.advance(to: 10_000_000_000)
        #expect(
            log.all == [
                .recovered([]),
                .started(attempt(0), processID: 100_000, at: 0), .started(attempt(1), processID: 100_001, at: 0),
                .ended(attempt(1), ProcessEnd(manner: .exited(code: 0), startedAt: 0, endedAt: 100_000_000)),
                .ended(attempt(0), ProcessEnd(manner: .exited(code: 3), startedAt: 0, endedAt: 2_500_000_000)),
            ])
    }

    @Test func successorsWaitForTheirSlot() throws {
        let driver = try makeDriver()
        let environment = ["SUANPAN_SIM_SECONDS=1"]
        driver.launch((0..<3).map { order($0, ["x"], slot: 7, environment: environment) })
        driver.withdraw([attempt(0), attempt(1)])
        clock.advance(to: 10_000_000_000)
        #expect(
            log.all == [
                .recovered([]), .started(attempt(0), processID: 100_000, at: 0),
                .ended(attempt(1), ProcessEnd(manner: .notStarted, startedAt: 0, endedAt: 0)),
                .ended(attempt(0), ProcessEnd(manner: .exited(code: 0), startedAt: 0, endedAt: 1_000_000_000)),
                .started(attempt(2), processID: 100_001, at: 1_000_000_000),
                .ended(attempt(2), ProcessEnd(manner: .exited(code: 0), startedAt: 1_000_000_000, endedAt: 2_000_000_000)),
            ])
    }

    @Test(arguments: [SIGTERM, SIGKILL]) func signalsEndAtOnce(signal: Int32) throws {
        let driver = try makeDriver()
        driver.launch([order(0, ["x"], environment: ["SUANPAN_SIM_SECONDS=1000"])])
        clock.advance(to: 5)
        driver.signal(attempt(0), SIGUSR1)
        driver.signal(attempt(0), signal)
        driver.launch([order(0, ["x"])])  // known: ignored
        clock.advance(to: 2_000_000_000_000)
        #expect(
            log.all == [
                .recovered([]), .started(attempt(0), processID: 100_000, at: 0),
                .ended(attempt(0), ProcessEnd(manner: .signalled(signal), startedAt: 0, endedAt: 5)),
            ])
    }
}
