import ClusterModel
import SimulationKit
import Testing

@Suite struct QueueSimulationTests {
    private static let cluster = QueueCluster(nodes: 6, devicesPerNode: 4)

    /// Jobs that ask for more at once than there is, most of one device, some larger than a node.
    private static func jobs(seed: UInt64, count: Int = 300) -> [QueuedJob] {
        var generator = SeededGenerator(seed: seed)
        var at: Int64 = 0
        return (0..<count).map { index in
            at += generator.between(0, 60)
            let devices = [1, 1, 1, 1, 2, 2, 3, 4, 4, 6, 8, 11][generator.below(12)]
            let long = generator.chance(milli: 150)
            return QueuedJob(
                name: "j\(index)", submitted: .seconds(at), duration: .seconds(generator.between(1, long ? 4000 : 300)), devices: devices,
                tenant: "t\(generator.below(3))")
        }
    }

    private static func run(_ policy: QueuePolicy, _ jobs: [QueuedJob], _ estimates: Estimates = .none) throws -> [RunSegment] {
        if policy == .suanpan {
            var simulation = QueueSimulation(of: jobs, on: cluster, estimates: estimates)
            while !simulation.isDone { try simulation.step() }
            return simulation.segments
        }
        var simulation = QueueBaseline(policy, of: jobs, on: cluster, estimates: estimates)
        while !simulation.isDone { try simulation.step() }
        return simulation.segments
    }

    @Test(arguments: QueuePolicy.allCases, [Estimates.none, .doubled])
    func everyJobRunsWholeAndNoDeviceIsGivenTwice(policy: QueuePolicy, estimates: Estimates) throws {
        for seed in UInt64(1)...4 {
            let jobs = Self.jobs(seed: seed)
            let segments = try Self.run(policy, jobs, estimates)
            var ran = Array(repeating: Int64(0), count: jobs.count)
            var changes: [(at: Int64, isEnd: Bool, node: Int, devices: Int)] = []
            for segment in segments {
                let job = jobs[segment.job]
                #expect(segment.start >= job.submitted, "seed \(seed): \(job.name)")
                ran[segment.job] += segment.end.nanoseconds - segment.start.nanoseconds
                #expect(segment.places.reduce(0) { $0 + $1.devices } == job.devices, "seed \(seed): \(job.name)")
                let least = (job.devices + 3) / 4
                #expect(segment.places.count == least && Set(segment.places.map(\.node)).count == least, "seed \(seed): \(job.name)")
                for place in segment.places {
                    changes.append((segment.start.nanoseconds, false, place.node, place.devices))
                    changes.append((segment.end.nanoseconds, true, place.node, place.devices))
                }
            }
            #expect(ran == jobs.map(\.duration.nanoseconds), "seed \(seed)")
            var held = Array(repeating: 0, count: 6)
            for change in changes.sorted(by: { ($0.at, $0.isEnd ? 0 : 1) < ($1.at, $1.isEnd ? 0 : 1) }) {
                held[change.node] += change.isEnd ? -change.devices : change.devices
                if held[change.node] > 4 { Issue.record("seed \(seed): node \(change.node) at \(change.at)") }
            }
        }
    }

    /// What a job takes is not known before it has ended: other lengths of what runs on change nothing until then.
    @Test(arguments: UInt64(1)...6) func whatRunsOnIsNotRead(seed: UInt64) throws {
        let jobs = Self.jobs(seed: seed)
        let segments = try Self.run(.suanpan, jobs)
        let instant = Span.seconds(3000)
        var others = jobs
        var generator = SeededGenerator(seed: seed, stream: 1)
        for segment in segments where segment.end > instant {
            let past = max(0, instant.nanoseconds - segment.start.nanoseconds) / 1_000_000_000
            others[segment.job].duration = .seconds(past + generator.between(1, 5000))
        }
        let again = try Self.run(.suanpan, others)
        func starts(_ segments: [RunSegment]) -> [Int: Span] {
            Dictionary(uniqueKeysWithValues: segments.filter { $0.start <= instant }.map { ($0.job, $0.start) })
        }
        #expect(starts(segments) == starts(again), "seed \(seed)")
        #expect(segments != again, "seed \(seed): nothing was changed")
    }

    @Test func aRunCanBeRepeated() throws {
        let jobs = Self.jobs(seed: 9)
        #expect(try Self.run(.suanpan, jobs) == Self.run(.suanpan, jobs))
    }

    // MARK: What the names of policies promise

    private static func job(_ name: String, at: Int64, _ run: Int64, _ devices: Int) -> QueuedJob {
        QueuedJob(name: name, submitted: .seconds(at), duration: .seconds(run), devices: devices, tenant: "")
    }

    private static func starts(_ policy: QueuePolicy, _ jobs: [QueuedJob]) throws -> [Int64] {
        var first = Array(repeating: Int64.max, count: jobs.count)
        for segment in try run(policy, jobs) { first[segment.job] = min(first[segment.job], segment.start.wholeSeconds) }
        return first
    }

    /// Twenty devices run for 100 s; then a job comes that needs all 24, one of four devices that ends in time, and one that does not.
    @Test func policiesDifferInWhomTheyLetPass() throws {
        let jobs =
            (0..<5).map { Self.job("r\($0)", at: 0, 100, 4) } + [
                Self.job("all", at: 1, 10, 24), Self.job("short", at: 2, 50, 4), Self.job("long", at: 3, 500, 1),
            ]
        #expect(try Self.starts(.fifo, jobs).suffix(3) == [100, 110, 110])
        #expect(try Self.starts(.easy, jobs).suffix(3) == [100, 2, 110])
        #expect(try Self.starts(.fifoSkip, jobs).suffix(3) == [552, 2, 52])
        #expect(try Self.starts(.srtf, jobs).suffix(3) == [1, 11, 61])
    }

    /// A gang of whole nodes behind small jobs that never cease: passed over, it would wait for their end.
    @Test func noStreamOfSmallJobsStarvesAGang() throws {
        var jobs = [Self.job("gang", at: 2000, 100, 16)]
        for index in 0..<4000 { jobs.append(Self.job("s\(index)", at: Int64(index * 4), 100, 1)) }
        jobs.sort { $0.submitted < $1.submitted }
        let place = try #require(jobs.firstIndex { $0.name == "gang" })
        let waits = try [QueuePolicy.suanpan, .fifoSkip].map { try Self.starts($0, jobs)[place] - 2000 }
        #expect(waits[0] < 1500 && waits[1] > 10_000, "\(waits)")
    }
}
