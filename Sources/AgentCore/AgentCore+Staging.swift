// Files before the start and after the end (Protocols/files.md, "On the node").

import ClusterModel

extension AgentCore {
    mutating func take(_ event: StagingEvent, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]) {
        switch event {
        case .staged(let id, let fence):
            guard let attempt = attempts[id], attempt.fence == fence, case .staging(var order) = attempt.phase else { return }
            attempts[id]?.phase = .launching
            // Others may have got cores for themselves, or given them back, while its files came.
            if attempt.terms.processors.isEmpty { order.processors = processors(near: attempt.terms.numaNode) }
            effects.append(.launch([order]))
        case .collected(let id, let fence, let problem):
            guard let attempt = attempts[id], attempt.fence == fence, case .collecting(var end, let at) = attempt.phase else { return }
            // What failed by itself says more about itself than about files that it did not write.
            if !problem.isEmpty, end.cause == .exited, end.exitCode == 0 {
                end.cause = .staging
                end.exitCode = 125
                end.detail = problem
            }
            finish(id, end, endedAt: at, at: now, &reports)
        case .failed(let id, let fence, let problem):
            guard let attempt = attempts[id], attempt.fence == fence else { return }
            switch attempt.phase {
            case .staging:
                finish(id, AttemptEnd(cause: .staging, exitCode: 125, detail: problem), endedAt: now, at: now, &reports)
            case .collecting(var end, let at):
                end.cause = .staging
                end.exitCode = 125
                end.detail = problem
                finish(id, end, endedAt: at, at: now, &reports)
            case .launching, .running, .ended: break
            }
        }
    }

    func stageOrder(
        _ order: StartOrder, _ template: TaskTemplate, account: UserAccount, workDirectory: String
    ) -> StageOrder? {
        guard configuration.movesFiles, template.isStaged || !template.secretFiles.isEmpty else { return nil }
        return StageOrder(
            attempt: order.attempt, fence: order.fence, workDirectory: template.isStaged ? workDirectory : "", userID: account.userID,
            groupID: account.groupID, inputs: template.inputs, outputs: template.outputs, secretFiles: template.secretFiles,
            secretsDirectory: template.secretFiles.isEmpty ? "" : configuration.secretsDirectory(of: order.attempt), pass: order.pass)
    }

    /// The process has ended: what it leaves behind is kept before anyone hears of the end.
    mutating func processEnded(
        _ id: AttemptID, _ processEnd: ProcessEnd, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]
    ) {
        guard let attempt = attempts[id] else { return }
        // Its last words first: what it wrote before it ended is not lost.
        if attempt.terms.hasMail, !attempt.isMailRead {
            attempts[id]?.unreadEnd = processEnd
            read(id, &effects)
            return
        }
        let end = Self.attemptEnd(processEnd, stop: attempt.stop)
        effects += shipper.grew(id, .stdout, total: processEnd.stdoutBytes)
        effects += shipper.grew(id, .stderr, total: processEnd.stderrBytes)
        guard attempt.terms.files == .staged, end.cause != .leaseExpired else {
            return finish(id, end, endedAt: processEnd.endedAt, at: now, &reports)
        }
        attempts[id]?.phase = .collecting(end, at: min(processEnd.endedAt, now))
        attempts[id]?.stop = nil
        attempts[id]?.startReportAt = nil
        effects.append(.collect(id, attempt.fence))
    }

    /// Ends an attempt that has no process: one whose files are being moved. False for others.
    mutating func endWithoutProcess(
        _ id: AttemptID, cause: AttemptEnd.Cause, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]
    ) -> Bool {
        guard let attempt = attempts[id] else { return false }
        switch attempt.phase {
        case .staging:
            let end = AttemptEnd(cause: cause, exitCode: 128 + Signal.terminate, detail: "stopped while its inputs were on their way")
            finish(id, end, endedAt: now, at: now, &reports)
        case .collecting(let end, let at): finish(id, end, endedAt: at, at: now, &reports)
        case .launching, .running, .ended: return false
        }
        effects.append(.abandonFiles(id, attempt.fence))
        return true
    }
}
