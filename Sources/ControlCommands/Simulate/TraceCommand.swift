import ArgumentParser
import ClusterModel
import Placement
import SimulationKit

extension SimulateCommand {
    struct Trace: Verb {
        static let configuration = CommandConfiguration(
            commandName: "trace", abstract: "Run the scheduler over a trace: where tasks are placed, or how long jobs wait.",
            discussion: """
                Files are CSV, gzip or not; columns are found by their names.

                PLACEMENT: --nodes with sn,cpu_milli,memory_mib,gpu,model and --trace with name,cpu_milli,memory_mib,num_gpu,gpu_milli,\
                gpu_spec, in the order of arrival; gpu_milli is the share of each device and gpu_spec the models accepted, as A|B. No \
                task leaves, moves or is tried again. The nodes are shuffled under the seed.

                QUEUEING: --node-count equal nodes and --trace with job_id,submit_s,duration_s,num_gpus,vc. Jobs come at their times, wait, \
                run and end; gangs start whole. No policy reads a run time before the job has ended, unless --estimates says so; those named \
                after an oracle (easy, sjf-skip, srtf) always do.

                EXAMPLE: suanpan simulate --nodes nodes.csv --trace tasks.csv --policy suanpan --policy firstfit
                EXAMPLE: suanpan simulate --node-count 80 --gpus-per-node 8 --trace jobs.csv --policy suanpan --policy fifo-skip
                """)

        @Option(help: ArgumentHelp("The nodes that tasks are placed on.", valueName: "file"))
        var nodes: String?
        @Option(help: ArgumentHelp("Equal nodes, for jobs that wait.", valueName: "n"))
        var nodeCount: Int?
        @Option(help: ArgumentHelp("Devices of each of them (default: 8).", valueName: "n"))
        var gpusPerNode: Int?
        @Option(help: ArgumentHelp("The tasks, or the jobs.", valueName: "file"))
        var trace: String
        @Option(
            help: ArgumentHelp("Tasks that are expected as often as they are there. Default: learned as tasks come.", valueName: "file"))
        var workload: String?
        @Option(
            help: ArgumentHelp(
                "For placement \(Self.names(PlacementPolicy.self)), for queueing \(Self.names(QueuePolicy.self)), or all; may be given again.",
                valueName: "name"))
        var policy: [String] = ["suanpan"]
        @Option(help: ArgumentHelp("What policies are told of run times: none, exact or doubled (default: none).", valueName: "kind"))
        var estimates: String?

        @Option(
            help: ArgumentHelp(
                "on: ours may stop jobs; each is charged 60 s and what it has done since a checkpoint, one every 30 min. Default: off.",
                valueName: "on|off"))
        var preemption: String?
        @Option(help: ArgumentHelp("What the nodes' order and every draw follow from.", valueName: "n"))
        var seed: UInt64 = 1
        @Option(
            help: ArgumentHelp(
                "Let tasks come and go for ever instead, asking for this part of all devices at once, such as 0.95.", valueName: "load"))
        var churn: Double?
        @Option(help: ArgumentHelp("Write where each task went, as CSV pod,node,gpus.", valueName: "file"))
        var placements: String?
        @Option(help: ArgumentHelp("Write when and where each job ran, as CSV job_id,start_s,end_s,placement.", valueName: "file"))
        var schedule: String?
        @Option(help: ArgumentHelp("Write figures and curves, as JSON.", valueName: "file"))
        var report: String?
        @Option(help: ArgumentHelp("Write a picture of the curves, as SVG.", valueName: "file"))
        var chart: String?

        func perform(in context: CommandContext) async throws {
            guard nodeCount != nil || nodes != nil else {
                throw CommandFailure(
                    .usage, "neither --nodes nor --node-count is given",
                    remedy: "--nodes FILE for tasks that are placed, --node-count N for jobs that wait")
            }
            if nodeCount != nil { try queueRun().perform(context.console) } else { try placementRun().perform(context.console) }
        }

        private func queueRun() throws -> QueueRun {
            try refuse(
                [("--nodes", nodes), ("--workload", workload), ("--churn", churn.map { "\($0)" }), ("--placements", placements)], "queueing"
            )
            let (count, perNode) = (nodeCount ?? 1, gpusPerNode ?? 8)
            guard (1...100_000).contains(count), (1...1024).contains(perNode) else {
                throw CommandFailure(.usage, "expected 1 to 100000 nodes with 1 to 1024 devices each")
            }
            let isPreempting = preemption == "on"
            guard isPreempting || preemption == nil || preemption == "off" else {
                throw CommandFailure(.usage, "--preemption '\(preemption ?? "")' is not known", remedy: "expected on or off")
            }
            guard let known = Estimates(rawValue: estimates ?? "none") else {
                throw CommandFailure(
                    .usage, "--estimates '\(estimates ?? "")' is not known", remedy: "expected \(Self.names(Estimates.self))")
            }
            let policies: [QueuePolicy] = try chosen()
            try refuseForMany(policies.count, "--schedule", schedule)
            return QueueRun(
                trace: trace, cluster: QueueCluster(nodes: count, devicesPerNode: perNode), policies: policies, estimates: known,
                preemption: isPreempting ? .usual : nil,
                schedule: schedule, report: report, chart: chart)
        }

        private func placementRun() throws -> PlacementRun {
            try refuse(
                [
                    ("--gpus-per-node", gpusPerNode.map { "\($0)" }), ("--estimates", estimates), ("--preemption", preemption),
                    ("--schedule", schedule),
                ], "placement")
            let policies: [PlacementPolicy] = try chosen()
            try refuseForMany(policies.count, "--placements", placements)
            return PlacementRun(
                nodes: nodes ?? "", trace: trace, workload: workload, policies: policies, seed: seed, churn: churn, placements: placements,
                report: report, chart: chart)
        }

        /// What is of the other kind of simulation is said to be, not left aside.
        private func refuse(_ options: [(name: String, value: String?)], _ kind: String) throws {
            guard let given = options.first(where: { $0.value != nil }) else { return }
            throw CommandFailure(.usage, "\(given.name) does not go with the simulation of \(kind)")
        }

        private func refuseForMany(_ count: Int, _ name: String, _ value: String?) throws {
            guard value == nil || count == 1 else {
                throw CommandFailure(.usage, "\(name) is of one policy", remedy: "give --policy once")
            }
        }

        private static func names<Policy: CaseIterable & RawRepresentable<String>>(_ policies: Policy.Type) -> String {
            policies.allCases.map(\.rawValue).joined(separator: ", ")
        }

        private func chosen<Policy: CaseIterable & RawRepresentable<String> & Equatable>() throws -> [Policy] {
            var policies: [Policy] = []
            for name in policy {
                guard name != "all" else { return Array(Policy.allCases) }
                guard let policy = Policy(rawValue: name) else {
                    throw CommandFailure(
                        .usage, "--policy '\(name)' is not known", remedy: "expected \(Self.names(Policy.self)) or all")
                }
                if !policies.contains(policy) { policies.append(policy) }
            }
            return policies
        }
    }
}
