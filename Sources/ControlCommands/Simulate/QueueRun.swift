import ClusterModel
import SimulationKit

/// Jobs of a trace come at their times, wait, run and end, under one policy after the other.
struct QueueRun {
    var trace: String
    var cluster: QueueCluster
    var policies: [QueuePolicy]
    var estimates: Estimates
    var preemption: PreemptionCharge?
    var schedule: String?
    var report: String?
    var chart: String?

    func perform(_ console: Console) throws {
        let jobs = try TraceFile.jobs(trace)
        let most = cluster.nodes * cluster.devicesPerNode
        if let large = jobs.first(where: { $0.devices > most }) {
            throw CommandFailure(
                .usage, "\(trace): \(large.name) asks for \(large.devices) devices, and there are \(most)",
                remedy: "give more nodes with --node-count")
        }
        var outcomes: [QueueOutcome] = []
        for policy in policies {
            let progress = SimulationProgress(name: policy.rawValue, console: console)
            let segments = try segments(of: jobs, policy, progress)
            progress.finish()
            outcomes.append(QueueOutcome(policy: policy, jobs: jobs, on: cluster, segments: segments))
            if let schedule { try OutputFile.write(Self.lines(segments, jobs), to: schedule) }
        }
        let result = QueueReport(outcomes: outcomes, cluster: cluster, estimates: estimates)
        if let report { try OutputFile.write(result.json.prettyText + "\n", to: report) }
        if let chart { try OutputFile.write(QueueChart(outcomes: outcomes).svg, to: chart) }
        console.write(result.table)
    }

    private func segments(of jobs: [QueuedJob], _ policy: QueuePolicy, _ progress: SimulationProgress) throws -> [RunSegment] {
        var steps = 0
        func show(_ ended: Int) {
            steps += 1
            if steps % 256 == 0 { progress.show(Double(ended) / Double(max(1, jobs.count))) }
        }
        do throws(TraceFailure) {
            if policy == .suanpan {
                var simulation = QueueSimulation(of: jobs, on: cluster, estimates: estimates, preemption: preemption)
                while !simulation.isDone {
                    try simulation.step()
                    show(simulation.jobsEnded)
                }
                return simulation.segments
            }
            var simulation = QueueBaseline(policy, of: jobs, on: cluster, estimates: estimates)
            while !simulation.isDone {
                try simulation.step()
                show(simulation.jobsEnded)
            }
            return simulation.segments
        } catch {
            throw CommandFailure(.failed, "\(trace): \(error)")
        }
    }

    /// One line for each run, in order of time: `12:8|13:8` is eight devices on each of two nodes.
    private static func lines(_ segments: [RunSegment], _ jobs: [QueuedJob]) -> String {
        var text = "job_id,start_s,end_s,placement\n"
        for segment in segments.sorted(by: { ($0.start, $0.job) < ($1.start, $1.job) }) {
            let places = segment.places.map { "\($0.node):\($0.devices)" }.joined(separator: "|")
            text += "\(jobs[segment.job].name),\(seconds(segment.start)),\(seconds(segment.end)),\(places)\n"
        }
        return text
    }

    private static func seconds(_ span: Span) -> String {
        let milliseconds = span.nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : Decimals.text(Double(milliseconds) / 1000, 3)
    }
}

extension TraceFile {
    static let jobColumns = ["job_id", "submit_s", "duration_s", "num_gpus"]

    /// Jobs in order of submission.
    static func jobs(_ path: String) throws -> [QueuedJob] {
        let jobs = try TraceFile(path, required: jobColumns).map { row in
            QueuedJob(
                name: row.text("job_id"), submitted: try row.seconds("submit_s"), duration: try row.seconds("duration_s"),
                devices: Int(try row.number("num_gpus", in: 1...1_000_000)), tenant: row.text("vc"))
        }
        return jobs.enumerated().sorted { ($0.element.submitted, $0.offset) < ($1.element.submitted, $1.offset) }.map(\.element)
    }
}

/// What policies made of a trace, side by side.
struct QueueReport {
    var outcomes: [QueueOutcome]
    var cluster: QueueCluster
    var estimates: Estimates

    var table: String {
        var table = Table(
            [.init("POLICY")]
                + ["WAIT", "99 %", "LONGEST", "GANGS' WAIT", "JCT", "50 %", "99 %", "PREEMPTED", "FAIRNESS", "USED"].map {
                    .init($0, isRightAligned: true)
                })
        for outcome in outcomes {
            let times = [
                outcome.wait.mean, outcome.wait.ninetyNine, outcome.wait.most, outcome.gangWait.mean, outcome.completion.mean,
                outcome.completion.half, outcome.completion.ninetyNine,
            ]
            table.append(
                [.init(outcome.policy.rawValue)] + times.map { .init(Decimals.text($0, 0) + " s") }
                    + [
                        .init("\(outcome.preemptions)"), .init(outcome.fairness.map { Decimals.text($0, 2) } ?? "-"),
                        .init(Decimals.text(outcome.usedPercent, 1) + " %"),
                    ])
        }
        let text = table.text(isWide: false, hasColour: false)
        return comparisons.isEmpty ? text : text + "\n" + comparisonTable
    }

    var json: JSONValue {
        .object(
            JSONObject([
                .init(name: "schema", value: "suanpan.queue-simulation.v1"),
                .init(name: "nodes", value: .integer(cluster.nodes)),
                .init(name: "devicesPerNode", value: .integer(cluster.devicesPerNode)),
                .init(name: "estimates", value: .string(estimates.rawValue)),
                .init(name: "runs", value: .array(outcomes.map(Self.json))),
                .init(name: "comparisons", value: .array(comparisons.map(\.json))),
            ]))
    }

    private static func json(_ outcome: QueueOutcome) -> JSONValue {
        func number(_ value: Double) -> JSONValue { .number(Decimals.text(value, 3)) }
        func times(_ times: QueueOutcome.Times) -> JSONValue {
            .object(
                JSONObject([
                    .init(name: "mean", value: number(times.mean)), .init(name: "p50", value: number(times.half)),
                    .init(name: "p90", value: number(times.ninety)), .init(name: "p99", value: number(times.ninetyNine)),
                    .init(name: "longest", value: number(times.most)),
                ]))
        }
        return .object(
            JSONObject([
                .init(name: "policy", value: .string(outcome.policy.rawValue)),
                .init(name: "jobs", value: .integer(outcome.jobs)),
                .init(name: "waitSeconds", value: times(outcome.wait)),
                .init(name: "gangWaitSeconds", value: times(outcome.gangWait)),
                .init(name: "completionSeconds", value: times(outcome.completion)),
                .init(name: "preemptions", value: .integer(outcome.preemptions)),
                .init(name: "usedPercent", value: number(outcome.usedPercent)),
                .init(name: "fairness", value: outcome.fairness.map(number) ?? .null),
                .init(
                    name: "curve",
                    value: .array(
                        outcome.samples.map { sample in
                            .object(
                                JSONObject([
                                    .init(name: "seconds", value: number(sample.at)),
                                    .init(name: "usedPercent", value: number(sample.usedPercent)),
                                    .init(name: "waitingJobs", value: .integer(sample.waitingJobs)),
                                ]))
                        })),
            ]))
    }
}
