import Dispatch
import Foundation
import Glibc
import Testing

/// Every process dies or stands still at any moment, under load; then the promises are checked from outside. Longer with
/// SUANPAN_CHAOS_SECONDS; another course with SUANPAN_CHAOS_SEED.
@Suite(.serialized) struct RandomFaultTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = environment["SUANPAN_CHAOS_SECONDS"].flatMap(Double.init) ?? 12
    private static let seed = environment["SUANPAN_CHAOS_SEED"].flatMap(UInt64.init) ?? UInt64(getpid())

    /// Chance that a test can repeat (SplitMix64, Steele and others 2014).
    private struct Dice {
        var state: UInt64
        mutating func below(_ bound: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
        }
    }

    private static let names = ["n1", "n2", "n3"]
    private static let options = ["--lease", "4s"]

    @Test func killsAndStandstillsOfEveryProcessUnderLoad() throws {
        print("chaos seed \(Self.seed), \(Self.seconds) s")
        var dice = Dice(state: Self.seed)
        let cluster = try Cluster()
        try cluster.startCoordinator(extra: Self.options)
        for name in Self.names { try cluster.startAgent(name) }
        let witness = try Witness(cluster)
        var jobs: [String] = []
        var stopped: Set<Int32> = []
        var done: [String: Int] = [:]
        let ends = Date().addingTimeInterval(Self.seconds)
        while Date() < ends {
            let policy = ["replace", "replace", "wait"][dice.below(3)]
            let outcome = cluster.suanpan(
                ["submit", "--array", "0-5", "--cpus", "1", "--on-node-lost", policy, "--"] + witness.command(ticks: 1 + dice.below(20)))
            // Whoever got no answer knows nothing; whoever got one has a promise.
            if outcome.code == 0 { jobs.append(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)) }
            done[try disturb(cluster, &dice, &stopped), default: 0] += 1
        }
        for pid in stopped { kill(pid, SIGCONT) }
        for name in Self.names where cluster.pid(Cluster.role(ofNode: name)) == nil { try cluster.launchAgent(name) }
        if cluster.pid("coordinator") == nil { try cluster.launchCoordinator(extra: Self.options) }
        // L2 and L1: all are back, and everything ends.
        try cluster.waitUntil("all nodes are ready") { Self.names.allSatisfy { cluster.nodeState($0) == "ready" } }
        try cluster.waitUntil("every job has ended", seconds: 120) {
            cluster.liveJobs() == 0
        }
        try cluster.expectPromisesKept(jobs: jobs, witness: witness)
        let attempts = witness.lines().values.map { Set($0.map(\.attempt)).count }.reduce(0, +)
        print(
            "\(jobs.count) jobs, \(attempts) attempts that ran; \(done.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
        )
        #expect(jobs.count > 3)
    }

    private func disturb(_ cluster: Cluster, _ dice: inout Dice, _ stopped: inout Set<Int32>) throws -> String {
        let name = Self.names[dice.below(Self.names.count)]
        let role = Cluster.role(ofNode: name)
        let launcher = Cluster.processes(matching: "suanpan-launcher --run-dir \(cluster.agentDirectory(name))/").first
        switch dice.below(7) {
        case 0:
            cluster.crash("coordinator")
            try cluster.launchCoordinator(extra: Self.options)
            return "coordinator killed"
        case 1:
            cluster.crash(role)
            try cluster.launchAgent(name)
            return "agent killed"
        case 2:
            if let launcher { kill(launcher, SIGKILL) }
            return "launcher killed"
        case let number where number < 6:
            let pid = number == 3 ? cluster.pid("coordinator") : number == 4 ? cluster.pid(role) : launcher
            guard let pid else { return "nothing" }
            kill(pid, SIGSTOP)
            stopped.insert(pid)
            // Half a lease to three of them; the coordinator shorter, or nothing would happen meanwhile.
            let tenths = number == 3 ? dice.below(20) : 20 + dice.below(100)
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(tenths * 100)) { kill(pid, SIGCONT) }
            return ["coordinator", "agent", "launcher"][number - 3] + " stopped"
        default:
            usleep(UInt32(dice.below(800_000)))
            return "nothing"
        }
    }
}
