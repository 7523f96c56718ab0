// What the task driver says.

import ClusterModel

extension AgentCore {
    mutating func take(_ event: DriverEvent, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]) {
        switch event {
        case .started(let id, _, let at):
            guard var attempt = attempts[id], case .launching = attempt.phase else { return }
            attempt.phase = .running(since: at)
            attempt.returnAt = nil
            attempt.startReportAt = now + AgentTiming.startReportDelay
            attempts[id] = attempt
        case .ended(let id, let end):
            guard let attempt = attempts[id], attempt.hasProcess else { return }
            processEnded(id, end, at: now, &reports, &effects)
        case .outputGrew(let id, let stream, let total):
            guard attempts[id] != nil else { return }
            effects += shipper.grew(id, stream, total: total)
        case .lost: break
        case .recovered(let known): recover(known, at: now, &reports, &effects)
        }
    }

    /// The first, after the agent's start, adopts what runs; later ones, after the driver's own death, find what it lost.
    private mutating func recover(
        _ known: [RecoveredAttempt], at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]
    ) {
        for recovered in known { adopt(recovered, at: now, &reports, &effects) }
        let listed = Set(known.map(\.attempt))
        for id in attempts.ids where attempts[id]?.hasProcess == true && !listed.contains(id) {
            let waited = attempts[id]?.returnAt != nil
            let end =
                waited
                ? AttemptEnd(cause: .returned, exitCode: 0)
                : AttemptEnd(cause: .infrastructure, exitCode: 125, detail: "the launcher lost this attempt")
            finish(id, end, endedAt: now, at: now, &reports)
        }
        guard !isRecovered else { return }
        isRecovered = true
        if configuration.movesFiles { effects.append(.sweepFiles(keeping: known.map(\.attempt))) }
        if !configuration.mailRoot.isEmpty {
            effects.append(.sweepMail(keeping: known.map(\.attempt)))
            // Who has a mailbox is told by what is found.
            let running = attempts.ids.filter { attempts[$0]?.hasProcess == true }
            if !running.isEmpty { effects.append(.readMail(running)) }
        }
        if case .registering = link { register(at: now, &effects) }
    }

    private mutating func adopt(
        _ recovered: RecoveredAttempt, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]
    ) {
        let id = recovered.attempt
        if attempts[id] == nil {
            // An unreadable note is an older agent's: the attempt keeps running without a limit of its own.
            let terms =
                (try? AttemptTerms(canonicalBytes: recovered.note)) ?? AttemptTerms(timeLimit: nil, grace: .seconds(30), onNodeLost: .wait)
            attempts[id] = LocalAttempt(
                fence: recovered.fence, phase: recovered.startedAt.map { .running(since: $0) } ?? .launching, terms: terms,
                returnAt: recovered.startedAt == nil ? now + AgentTiming.successorPatience : nil)
        }
        guard let attempt = attempts[id], attempt.hasProcess else { return }
        if let end = recovered.end {
            processEnded(id, end, at: now, &reports, &effects)
        } else if case .launching = attempt.phase, let startedAt = recovered.startedAt {
            attempts[id]?.phase = .running(since: startedAt)
            attempts[id]?.returnAt = nil
        }
    }

    mutating func finish(_ id: AttemptID, _ end: AttemptEnd, endedAt: Int64, at now: Int64, _ reports: inout [AttemptStatus]) {
        guard var attempt = attempts[id] else { return }
        attempt.phase = .ended(end, at: min(endedAt, now))
        attempt.stop = nil
        attempt.returnAt = nil
        attempt.startReportAt = nil
        attempt.endReportAt = now + AgentTiming.reportRepeat
        attempts[id] = attempt
        reports.append(attempt.status(of: id, at: now))
    }

    /// What the process's end means, given why the agent may have stopped it.
    static func attemptEnd(_ end: ProcessEnd, stop: LocalAttempt.Stop?) -> AttemptEnd {
        var cause: AttemptEnd.Cause
        var code: Int32
        var signal: Int32 = 0
        var detail = ""
        switch end.manner {
        case .exited(let exitCode):
            cause = .exited
            code = exitCode
        case .signalled(let number):
            cause = .signalled
            code = 128 + number
            signal = number
        case .outOfMemory:
            cause = .outOfMemory
            code = 137
            signal = Signal.kill
        case .notFound:
            cause = .notFound
            code = 127
            detail = "the program does not exist"
        case .cannotExecute(let step):
            cause = .cannotExecute
            code = 126
            detail = step
        case .leaseEnded:
            cause = .leaseExpired
            code = 128 + Signal.kill
            signal = Signal.kill
            detail = "the lease ended"
        case .driverLost:
            cause = .infrastructure
            code = 125
            detail = "the launcher died; the attempt's processes were ended"
        case .notStarted:
            cause = .returned
            code = 0
        }
        if let stop, cause == .exited || cause == .signalled {
            cause = stop.cause
            if stop.cause == .timeLimit { code = 124 }
        }
        return AttemptEnd(
            cause: cause, exitCode: code, signal: signal, elapsed: Span(nanoseconds: max(0, end.endedAt - end.startedAt)),
            cpuTime: Span(nanoseconds: end.cpuNanoseconds), memoryPeakBytes: end.memoryPeakBytes, stdoutBytes: end.stdoutBytes,
            stderrBytes: end.stderrBytes, droppedBytes: end.droppedBytes, detail: detail)
    }
}
