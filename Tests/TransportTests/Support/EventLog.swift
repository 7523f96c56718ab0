import Synchronization

/// Events in order of arrival, and those who wait for some of them: tests wait for what happens, never for time to pass.
final class EventLog<Event: Sendable>: Sendable {
    struct TimedOut: Error, CustomStringConvertible {
        let description: String
    }

    private struct Waiter {
        let id: Int
        let isSatisfied: @Sendable ([Event]) -> Bool
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var events: [Event] = []
        var waiters: [Waiter] = []
        var nextID = 0
    }

    private let state = Mutex(State())

    var events: [Event] { state.withLock { $0.events } }

    func append(_ event: Event) {
        let satisfied = state.withLock { state in
            state.events.append(event)
            let satisfied = state.waiters.filter { $0.isSatisfied(state.events) }
            state.waiters.removeAll { waiter in satisfied.contains { $0.id == waiter.id } }
            return satisfied
        }
        for waiter in satisfied { waiter.continuation.resume(returning: true) }
    }

    /// Returns the events once they satisfy `condition`; throws at the deadline.
    @discardableResult
    func wait(
        for what: String, within deadline: Duration = .seconds(20), until condition: @escaping @Sendable ([Event]) -> Bool
    ) async throws -> [Event] {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let timer = Task {
            try await Task.sleep(for: deadline)
            let late = state.withLock { state in
                let late = state.waiters.filter { $0.id == id }
                state.waiters.removeAll { $0.id == id }
                return late
            }
            for waiter in late { waiter.continuation.resume(returning: false) }
        }
        defer { timer.cancel() }
        let isSatisfied = await withCheckedContinuation { continuation in
            let isSatisfied = state.withLock { state in
                if condition(state.events) { return true }
                state.waiters.append(Waiter(id: id, isSatisfied: condition, continuation: continuation))
                return false
            }
            if isSatisfied { continuation.resume(returning: true) }
        }
        guard isSatisfied else { throw TimedOut(description: "no \(what) within \(deadline); last events: \(events.suffix(5))") }
        return events
    }
}
