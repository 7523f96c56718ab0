import ClusterModel
import ClusterPorts
import Glibc
import SchedulingCore
import Synchronization
public import Telemetry

extension SchedulerEngine {
    /// Nodes looked at while the follower is held: a scrape never keeps a batch waiting for long.
    private static let nodesPerLook = 64

    /// Everything the engine knows of itself. Blocks for milliseconds where jobs and nodes are many: not for an event loop.
    public func writeMetrics(to text: inout MetricsText) {
        writeQueue(to: &text)
        writeWork(to: &text)
        writeNodes(to: &text)
        writeLoop(to: &text)
        writeJournal(to: &text)
        writeAgents(to: &text)
    }

    // MARK: Work

    private func writeQueue(to text: inout MetricsText) {
        let now = now()
        let totals = queueTotals()
        text.family(EngineMetrics.queueTasks) { samples in
            for cause in QueueTotals.Cause.allCases { samples.add(totals[cause].tasks, ("reason", cause.name)) }
        }
        text.family(EngineMetrics.oldestWait) { samples in
            for cause in QueueTotals.Cause.allCases {
                let age = totals[cause].oldest.map { max(0, (now - $0).nanoseconds) } ?? 0
                samples.add(Double(age) / 1e9, ("reason", cause.name))
            }
        }
        text.family(EngineMetrics.tasks) { samples in
            let counts: [(JobState, UInt64)] = [
                (.queued, totals.queued), (.starting, totals.starting), (.running, totals.running), (.stopping, totals.stopping),
            ]
            for (state, count) in counts { samples.add(count, ("state", state.name)) }
        }
        text.family(EngineMetrics.jobs) { samples in
            for state in JobState.allCases where !state.isTerminal { samples.add(totals[state], ("state", state.name)) }
        }
    }

    private func writeWork(to text: inout MetricsText) {
        text.family(EngineMetrics.jobsSubmitted, instruments.jobsSubmitted)
        text.family(EngineMetrics.tasksSubmitted, instruments.tasksSubmitted)
        write(instruments.jobsFinished, as: EngineMetrics.jobsFinished, to: &text)
        text.family(EngineMetrics.attemptsPlaced, instruments.attemptsPlaced)
        text.family(EngineMetrics.attemptsStarted, instruments.attemptsStarted)
        write(instruments.attemptsEnded, as: EngineMetrics.attemptsEnded, to: &text)
        text.family(EngineMetrics.placementWait, instruments.placementWait)
        text.family(EngineMetrics.startWait, instruments.startWait)
        text.family(EngineMetrics.rejected) { samples in
            for rejection in CountedRejection.allCases {
                samples.add(instruments.rejections[rejection.rawValue].total, ("code", rejection.code))
            }
        }
        text.family(EngineMetrics.refused) { samples in
            for cause in CommandRefusal.allCases { samples.add(instruments.refusals[cause.rawValue].total, ("cause", cause.name)) }
        }
    }

    /// Success, whose reason is always none, from the start; what else happened, once it has: most pairs never do.
    private func write(_ ends: EndCounters, as family: MetricFamily, to text: inout MetricsText) {
        text.family(family) { samples in
            for state in EndCounters.states {
                for reason in Reason.allCases {
                    let total = ends[state, reason]?.total ?? 0
                    guard total > 0 || (state == .succeeded && reason == .none) else { continue }
                    samples.add(total, ("state", state.name), ("reason", reason == .none ? "none" : reason.name))
                }
            }
        }
    }

    // MARK: Nodes

    private func writeNodes(to text: inout MetricsText) {
        var figures = NodeFigures()
        let nodes = follower.read { $0.nodeIDs }
        var rest = nodes[...]
        while !rest.isEmpty {
            let look = rest.prefix(Self.nodesPerLook)
            rest = rest.dropFirst(look.count)
            let views = follower.read { core in look.compactMap { core.standing(of: $0).map(Self.view) } }
            let loads = sessions.withLock { sessions in views.map { sessions.load(of: $0.id) } }
            for (view, load) in zip(views, loads) { figures.add(view, load) }
        }
        figures.write(to: &text)
    }

    // MARK: Loop and journal

    private func writeLoop(to text: inout MetricsText) {
        text.family(EngineMetrics.loopCPU) { samples in
            // Its clock is gone with the thread.
            if let seconds = decidingSeconds { samples.add(seconds) }
        }
        text.family(EngineMetrics.loopBusy, Double(instruments.busyNanoseconds.total) / 1e9)
        text.family(EngineMetrics.loopStep, instruments.step)
        text.family(EngineMetrics.loopBatch, instruments.batchEvents)
        text.family(EngineMetrics.loopLag, instruments.lag)
        text.family(EngineMetrics.loopInbox, instruments.inbox.value + Int64(desk.stagedCount))
    }

    private var decidingSeconds: Double? {
        let clock = decidingClock.load(ordering: .relaxed)
        var time = timespec()
        guard clock != 0, clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func writeJournal(to text: inout MetricsText) {
        text.family(EngineMetrics.journalAppend, instruments.append)
        text.family(EngineMetrics.journalErrors, instruments.appendErrors)
        text.family(EngineMetrics.journalDiskFull, disk.withLock { $0.isLow } ? 1 : 0)
        text.family(EngineMetrics.journalIndex, instruments.lastIndex.value)
        text.family(EngineMetrics.recovery, Double(recoveryNanoseconds) / 1e9)
    }

    // MARK: Agents

    private func writeAgents(to text: inout MetricsText) {
        text.family(EngineMetrics.heartbeats, instruments.heartbeats)
        text.family(EngineMetrics.leaseMargin, instruments.leaseMargin)
        text.family(EngineMetrics.leasesHeldBack, instruments.leasesHeldBack.value)
        let drops = droppedFrames.withLock { $0 }
        text.family(EngineMetrics.drops) { samples in
            for cause in TransportDrop.allCases { samples.add(drops[cause] ?? 0, ("cause", cause.rawValue)) }
        }
        text.family(EngineMetrics.overflows, instruments.queueOverflows)
    }
}
