import ClusterModel
import ClusterPorts
import SchedulingCore
import Synchronization

/// Where commands wait for the deciding task, and callers for their replies. Any thread may offer; one task takes.
final class CommandDesk: Sendable {
    private struct State {
        var staged: [OfferedCommand] = []
        var stagedClients = 0
        var isOpen = true
        var lastToken: UInt64 = 0
        var callers: [RequestToken: @Sendable (Result<Decision, ControlError>) -> Void] = [:]
    }

    /// Commands of clients staged at once; more are told "later". Agents' commands are bounded by their own credit.
    private static let stagedClientsMax = 16_384

    private let state = Mutex(State())
    private let clocks: any TimeSource
    private let instruments: EngineInstruments
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(clocks: any TimeSource, instruments: EngineInstruments) {
        self.clocks = clocks
        self.instruments = instruments
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Wakes of the deciding task: at least one after each offer.
    var signals: AsyncStream<Void> { wakes }

    func nudge() { wake.yield() }

    /// From agents and timers: nobody waits.
    func stage(_ commands: [Command]) {
        guard !commands.isEmpty else { return }
        let arrival = clocks.boot()
        state.withLock { state in
            for command in commands { state.staged.append(OfferedCommand(command, arrivedAt: arrival)) }
        }
        wake.yield()
    }

    /// `answer` is called once, when the outcome is durable or will never be known.
    func stage(_ command: Command, answer: @escaping @Sendable (Result<Decision, ControlError>) -> Void) {
        let arrival = clocks.boot()
        let refusal = state.withLock { state -> ControlError? in
            guard state.isOpen else { return .unavailable }
            if command.isFromClient {
                guard state.stagedClients < Self.stagedClientsMax else { return .overloaded(retryAfter: .seconds(1)) }
                state.stagedClients += 1
            }
            state.lastToken += 1
            let token = RequestToken(state.lastToken)
            state.callers[token] = answer
            state.staged.append(OfferedCommand(command, token: token, arrivedAt: arrival))
            return nil
        }
        guard let refusal else {
            wake.yield()
            return
        }
        instruments.refused(refusal == .unavailable ? .stopping : .inboxFull)
        answer(.failure(refusal))
    }

    var stagedCount: Int { state.withLock { $0.staged.count } }

    func take() -> [OfferedCommand] {
        state.withLock { state in
            defer {
                state.staged = []
                state.stagedClients = 0
            }
            return state.staged
        }
    }

    func settle(_ token: RequestToken, _ result: Result<Decision, ControlError>) {
        let answer = state.withLock { $0.callers.removeValue(forKey: token) }
        answer?(result)
    }

    /// No more commands; callers still waiting learn that their outcome is unknown.
    func close() {
        let callers = state.withLock { state in
            state.isOpen = false
            defer { state.callers = [:] }
            return state.callers
        }
        for answer in callers.values { answer(.failure(.unavailable)) }
        wake.finish()
    }
}
