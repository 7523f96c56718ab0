import AgentCore
import CLinuxShim
import ClusterModel
import class Foundation.FileManager
import Glibc
import TaskDrivers
import Testing

/// What a task driver must do, against the real launcher.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LauncherDriverTests {
    /// The ways of containing processes that this machine has.
    static let isolations = ["auto", "subreaper"] + (access("/sys/fs/cgroup/memory/cgroup.procs", W_OK) == 0 ? ["cgroup1"] : [])

    private func withHarness(isolation: String = "auto", _ body: (LauncherHarness) async throws -> Void) async throws {
        let harness = LauncherHarness(isolation: isolation)
        #expect(try await harness.start() == [])
        try await body(harness)
        try await harness.finish()
    }

    @Test(arguments: isolations) func exitCodesAreTold(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            try await harness.launch(order(0, ["/bin/true"]), shell(1, "exit 7"))
            #expect(await harness.log.end(of: attempt(0)).manner == .exited(code: 0))
            let end = await harness.log.end(of: attempt(1))
            #expect(end.manner == .exited(code: 7))
            #expect(end.startedAt > 0 && end.endedAt >= end.startedAt && end.cpuNanoseconds > 0 && end.memoryPeakBytes > 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aLauncherThatTheSystemKeepsIsWaitedFor() async throws {
        let waiting = LauncherHarness(startsLauncher: false)
        async let recovered = waiting.start()
        waiting.startLauncher()
        #expect(try await recovered.isEmpty)
        try await waiting.launch(order(0, ["/bin/true"]))
        #expect(await waiting.log.ends(1).count == 1)
        try await waiting.release([AttemptID(job: JobID(1), index: 0, number: 1)])
        let launcher = waiting.launcherProcess()
        try await waiting.loop.perform { [driver = waiting.driver] in driver.shutDownIfIdle() }
        // Sent after it, and answered: the launcher was not told to end.
        try await waiting.launch(order(1, ["/bin/true"]))
        #expect(await waiting.log.ends(2).count == 2 && waiting.launcherProcess() == launcher && kill(launcher, 0) == 0)
        try await waiting.release([AttemptID(job: JobID(1), index: 1, number: 1)])
        try await waiting.finish()
    }

    @Test func startIsToldBeforeEnd() async throws {
        try await withHarness { harness in
            try await harness.launch(order(0, ["/bin/true"]))
            _ = await harness.log.end(of: attempt(0))
            guard case .started(attempt(0), let process, _) = harness.log.all[1] else {
                Issue.record("\(harness.log.all)")
                return
            }
            #expect(process > 1)
        }
    }

    @Test(arguments: isolations) func signalsEndAnAttempt(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            try await harness.launch(order(0, ["sleep", "1000"]))
            _ = await harness.log.processID(of: attempt(0))
            try await harness.signal(attempt(9), SIGTERM)  // unknown: ignored
            try await harness.signal(attempt(0), SIGTERM)
            #expect(await harness.log.end(of: attempt(0)).manner == .signalled(SIGTERM))
        }
    }

    @Test(arguments: isolations) func missingProgramIsNotFound(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            try await harness.launch(order(0, ["/no/such/program"]), order(1, ["no-such-program"]))
            #expect(await harness.log.end(of: attempt(0)).manner == .notFound)
            #expect(await harness.log.end(of: attempt(1)).manner == .notFound)
        }
    }

    @Test func failingStepIsNamed() async throws {
        try await withHarness { harness in
            try await harness.launch(order(0, ["/etc/passwd"]), order(1, ["true"], workDirectory: "/etc/passwd/below"))
            #expect(await harness.log.end(of: attempt(0)).manner == .cannotExecute("executing the program: Permission denied"))
            #expect(await harness.log.end(of: attempt(1)).manner == .cannotExecute("entering the work directory: Not a directory"))
        }
    }

    @Test func ordersThatNoPacketHoldsEndAtOnce() async throws {
        try await withHarness { harness in
            let large = String(repeating: "x", count: 200_000)
            try await harness.launch(order(0, ["true", large]), order(1, ["true", "a\0b"]), order(2, ["true"]))
            guard case .cannotExecute = await harness.log.end(of: attempt(0)).manner,
                case .cannotExecute = await harness.log.end(of: attempt(1)).manner
            else {
                Issue.record("\(harness.log.all)")
                return
            }
            #expect(await harness.log.end(of: attempt(2)).manner == .exited(code: 0))
        }
    }

    @Test func outputIsKeptUpToItsLimit() async throws {
        try await withHarness { harness in
            try await harness.launch(shell(0, "yes | head -c 5000000; echo bad >&2"))
            let end = await harness.log.end(of: attempt(0))
            #expect(end.manner == .exited(code: 0))
            #expect(end.stdoutBytes == 1 << 20)
            #expect(end.stderrBytes == 4)
            #expect(end.droppedBytes == 5_000_000 - (1 << 20))
            #expect(try await harness.text(attempt(0), .stderr) == "bad\n")
            var bytes: [UInt8] = []
            while true {
                let part = try await harness.read(attempt(0), offset: Int64(bytes.count), limit: 100_000)
                if part.isEmpty { break }
                bytes += part
            }
            #expect(bytes.count == 1 << 20)
            #expect(bytes.starts(with: Array("y\ny\n".utf8)))
            try await harness.release([attempt(0)])
        }
    }

    @Test func outputIsTellableWhileItGrows() async throws {
        try await withHarness { harness in
            // Each line waits for the reader to have seen the one before: SIGUSR1 asks for the next.
            try await harness.launch(shell(0, "trap 'echo two; exit 0' USR1; echo one; while :; do sleep 0.02; done"))
            _ = await harness.log.first { $0 == .outputGrew(attempt(0), .stdout, total: 4) }
            #expect(try await harness.text(attempt(0)) == "one\n")
            try await harness.signal(attempt(0), SIGUSR1)
            #expect(await harness.log.end(of: attempt(0)).stdoutBytes == 8)
            #expect(try await harness.text(attempt(0)) == "one\ntwo\n")
        }
    }

    @Test(arguments: isolations) func killReachesAGrandchildInASessionOfItsOwn(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            try await harness.launch(shell(0, "setsid sleep 1000 & echo $!; wait"))
            _ = await harness.log.first { if case .outputGrew = $0 { true } else { false } }
            let grandchild = try #require(Int32(try await harness.text(attempt(0)).filter(\.isNumber)))
            #expect(!isGone(grandchild))
            try await harness.signal(attempt(0), SIGKILL)
            #expect(await harness.log.end(of: attempt(0)).manner == .signalled(SIGKILL))
            #expect(isGone(grandchild))
        }
    }

    @Test(arguments: isolations) func leftOverProcessesEndWithTheFirst(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            // The grandchild holds both pipes, and is not in the session of the first process.
            try await harness.launch(shell(0, "setsid sleep 1000 & echo $!"))
            #expect(await harness.log.end(of: attempt(0)).manner == .exited(code: 0))
            let grandchild = try #require(Int32(try await harness.text(attempt(0)).filter(\.isNumber)))
            #expect(isGone(grandchild))
        }
    }

    /// Keepers of hierarchies tidy up what is empty; that must not be the end of a node.
    @Test(.timeLimit(.minutes(1)), arguments: isolations) func groupsThatSomebodyElseRemovedAreMadeAgain(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            try await harness.launch(order(0, ["true"], memoryBytes: 64 << 20))
            #expect(await harness.log.end(of: attempt(0)).manner == .exited(code: 0))
            // The group counts as empty in the kernel a moment after its last process has been waited for.
            var removed = harness.removeControlGroups()
            while !removed.isDone {
                usleep(1000)
                removed = harness.removeControlGroups()
            }
            let mode = try await harness.loop.perform { [driver = harness.driver] in driver.isolation?.mode }
            #expect(mode == .subreaper || removed.count > 0)
            try await harness.launch(order(1, ["true"], memoryBytes: 64 << 20), shell(2, "exit 3"))
            #expect(await harness.log.end(of: attempt(1)).manner == .exited(code: 0))
            #expect(await harness.log.end(of: attempt(2)).manner == .exited(code: 3))
        }
    }

    @Test(arguments: isolations) func theMemoryLimitBinds(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            let isolation = try await harness.loop.perform { [driver = harness.driver] in driver.isolation }
            guard isolation?.memoryBinds == true else {
                print("theMemoryLimitBinds: skipped, no memory controller")
                return
            }
            // tail keeps the whole of an endless line.
            try await harness.launch(order(0, ["tail", "/dev/zero"], memoryBytes: 64 << 20), order(1, ["true"], memoryBytes: 64 << 20))
            let end = await harness.log.end(of: attempt(0))
            #expect(end.manner == .outOfMemory)
            #expect(end.memoryPeakBytes > 32 << 20 && end.memoryPeakBytes <= 64 << 20)
            #expect(await harness.log.end(of: attempt(1)).manner == .exited(code: 0))
        }
    }

    @Test func theProcessorLimitBinds() async throws {
        try await withHarness { harness in
            let isolation = try await harness.loop.perform { [driver = harness.driver] in driver.isolation }
            guard isolation?.cpuBinds == true else {
                print("theProcessorLimitBinds: skipped, no cpu controller")
                return
            }
            let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
            try await harness.launch(order(0, ["sh", "-c", script], cpuMilli: 200))
            let end = await harness.log.end(of: attempt(0))
            #expect(end.manner == .exited(code: 0))
            // A busy machine gives less than the limit, none gives more; half as much again for the first period.
            #expect(Double(end.cpuNanoseconds) <= 0.3 * Double(end.endedAt - end.startedAt))
        }
    }

    /// The kernel says in `/proc/self/status` where a process may run.
    @Test func aTaskRunsOnTheProcessorsThatItWasGiven() async throws {
        try await withHarness { harness in
            let script = "grep ^Cpus_allowed_list: /proc/self/status | cut -f 2"
            try await harness.launch(
                order(0, ["sh", "-c", script], processors: [1], note: [7, 7]), order(1, ["sh", "-c", script], processors: [0, 1]),
                order(2, ["true"], processors: [2047]))
            for (index, expected) in [(0 as UInt32, "1\n"), (1, "0-1\n")] {
                #expect(await harness.log.end(of: attempt(index)).manner == .exited(code: 0))
                let text = try await harness.text(attempt(index))
                #expect(text == expected)
            }
            // A processor that the machine has not: nothing runs elsewhere instead.
            #expect(await harness.log.end(of: attempt(2)).manner == .cannotExecute("binding to processors: Invalid argument"))
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root can become another user"))
    func attemptsRunAsTheirUserInADirectoryOfTheirOwn() async throws {
        try await withHarness { harness in
            let work = harness.directory + "/work/deep"
            let script = """
                id -u; id -g; id -G; pwd; stat -c %u .; umask; ulimit -c
                grep NoNewPrivs /proc/self/status
                echo x > /dev/stderr
                """
            try await harness.launch(
                order(0, ["sh", "-c", script], workDirectory: work, makesWorkDirectory: true, userID: 65534, groupID: 65534))
            #expect(await harness.log.end(of: attempt(0)).manner == .exited(code: 0))
            let lines = try await harness.text(attempt(0)).split(separator: "\n")
            #expect(lines == ["65534", "65534", "65534", Substring(work), "65534", "0022", "0", "NoNewPrivs:\t1"])
            #expect(try await harness.text(attempt(0), .stderr) == "x\n")
        }
    }

    /// A directory that root makes where a request says would be root's rights for the asking.
    @Test func aDirectoryThatWasNamedIsNotMade() async throws {
        try await withHarness { harness in
            try await harness.launch(order(0, ["true"], workDirectory: harness.directory + "/named"))
            let end = await harness.log.end(of: attempt(0))
            #expect(end.manner == .cannotExecute("entering the work directory: No such file or directory"))
            #expect(access(harness.directory + "/named", F_OK) != 0)
        }
    }

    @Test func duplicatesAreIgnoredAndOldFencesRefused() async throws {
        try await withHarness { harness in
            let mark = harness.directory + "/mark"
            let command = ["sh", "-c", "echo x >> \(mark); echo ready; sleep 1000"]
            try await harness.launch(order(0, command, fence: 5), order(0, command, fence: 5), order(0, command, fence: 4))
            let process = await harness.log.processID(of: attempt(0))
            _ = await harness.log.first { if case .outputGrew(attempt(0), _, _) = $0 { true } else { false } }
            try await harness.signal(attempt(0), SIGKILL)
            _ = await harness.log.end(of: attempt(0))
            try await harness.launch(order(0, command, fence: 6))  // known, though ended
            try await harness.launch(order(1, ["cat", mark]))
            _ = await harness.log.end(of: attempt(1))
            for case .started(attempt(0), let other, _) in harness.log.all { #expect(other == process) }
            let marks = try await harness.text(attempt(1))
            #expect(marks == "x\n")
        }
    }

    @Test func aReturningAgentFindsRunningAndEndedAttempts() async throws {
        let before = LauncherHarness()
        #expect(try await before.start() == [])
        try await before.launch(order(0, ["sleep", "1000"], note: [1, 2, 3]), shell(1, "echo kept; exit 3"))
        let process = await before.log.processID(of: attempt(0))
        _ = await before.log.end(of: attempt(1))
        before.abandon()

        let after = LauncherHarness(directory: before.directory)
        let known = try await after.start().sorted { $0.attempt < $1.attempt }
        #expect(known.map(\.attempt) == [attempt(0), attempt(1)])
        #expect(known[0].note == [1, 2, 3] && known[0].end == nil)
        #expect(known[1].end?.manner == .exited(code: 3))
        #expect(!isGone(process))
        #expect(try await after.text(attempt(1)) == "kept\n")
        try await after.signal(attempt(0), SIGKILL)
        #expect(await after.log.end(of: attempt(0)).manner == .signalled(SIGKILL))
        try await after.finish()
    }

    @Test(arguments: isolations) func aKilledLauncherLeavesNoProcessAndLosesNoAttempt(isolation: String) async throws {
        let harness = LauncherHarness(isolation: isolation)
        #expect(try await harness.start() == [])
        // Without cgroups nothing finds what left its session when launcher and parent are dead.
        let grandchildCommand = isolation == "subreaper" ? "sleep 1000" : "setsid sleep 1000"
        try await harness.launch(shell(0, "\(grandchildCommand) & echo $!; wait"), shell(1, "exit 4"))
        _ = await harness.log.first { if case .outputGrew(attempt(0), _, _) = $0 { true } else { false } }
        _ = await harness.log.end(of: attempt(1))
        let first = await harness.log.processID(of: attempt(0))
        let grandchild = try #require(Int32(try await harness.text(attempt(0)).filter(\.isNumber)))
        let launcher = harness.launcherProcess()
        #expect(kill(launcher, SIGKILL) == 0)

        _ = await harness.log.first { $0 == .lost }
        let event = await harness.log.first { if case .recovered(let known) = $0 { !known.isEmpty } else { false } }
        guard case .recovered(let known) = event else { return }
        let manners = known.sorted { $0.attempt < $1.attempt }.map(\.end?.manner)
        #expect(manners == [.driverLost, .exited(code: 4)])
        #expect(isGone(first) && isGone(grandchild))
        #expect(harness.launcherProcess() != launcher)
        try await harness.launch(order(2, ["true"]))
        #expect(await harness.log.end(of: attempt(2)).manner == .exited(code: 0))
        try await harness.finish()
    }

    @Test func malformedPacketsEndTheConnectionOnly() async throws {
        try await withHarness { harness in
            try await harness.launch(order(0, ["sleep", "1000"]))
            _ = await harness.log.processID(of: attempt(0))
            let launcher = harness.launcherProcess()
            var header = suanpan_packet_header(version: UInt16(SUANPAN_LAUNCHER_VERSION), records: 1, length: 16)
            let record = suanpan_record_header(kind: UInt16(SUANPAN_START.rawValue), detail: 0, length: 8)
            // A start command that is nothing but its header.
            let short = withUnsafeBytes(of: &header) { Array($0) } + withUnsafeBytes(of: record) { Array($0) }
            let garbage: [[UInt8]] = [[1], Array(repeating: 0xff, count: 4096), short]
            for bytes in garbage {
                let intruder = suanpan_seqpacket_connect(harness.directory, SUANPAN_LAUNCHER_SOCKET, 65536)
                #expect(intruder >= 0)
                #expect(suanpan_seqpacket_send(intruder, bytes, bytes.count) == bytes.count)
                var item = pollfd(fd: intruder, events: Int16(POLLIN), revents: 0)
                #expect(poll(&item, 1, -1) == 1)
                var answer = [UInt8](repeating: 0, count: 4096)
                #expect(suanpan_seqpacket_receive(intruder, &answer, answer.count) <= 0)
                close(intruder)
            }
            // The driver was pushed aside each time and comes back to the same launcher.
            let event = await harness.log.first { if case .recovered(let known) = $0 { known.contains { $0.end == nil } } else { false } }
            #expect(event != .lost)
            #expect(harness.launcherProcess() == launcher)
            try await harness.signal(attempt(0), SIGKILL)
            #expect(await harness.log.end(of: attempt(0)).manner == .signalled(SIGKILL))
        }
    }

    /// Seeded mutations of packets that mean something: the connection may end, nothing else does.
    @Test(arguments: 1...6 as ClosedRange<UInt64>) func mutatedPacketsEndTheConnectionAtWorst(seed: UInt64) async throws {
        try await withHarness { harness in
            try await harness.launch(order(0, ["sleep", "1000"]))
            let process = await harness.log.processID(of: attempt(0))
            let launcher = harness.launcherProcess()
            var chance = seed
            func below(_ bound: Int) -> Int {
                // xorshift64 (Marsaglia 2003)
                chance ^= chance << 13
                chance ^= chance >> 7
                chance ^= chance << 17
                return Int(chance % UInt64(bound))
            }
            for round in 0..<200 {
                var intruder: Int32 = -EAGAIN
                // As many as may wait to be accepted do.
                while intruder == -EAGAIN {
                    intruder = suanpan_seqpacket_connect(harness.directory, SUANPAN_LAUNCHER_SOCKET, 262_144)
                    if intruder == -EAGAIN { try await Task.sleep(for: .milliseconds(1)) }
                }
                try #require(intruder >= 0)
                defer { close(intruder) }
                for _ in 0..<4 {
                    var packet =
                        below(2) == 0
                        ? Self.startPacket(index: UInt32(below(4))) : Self.packet(ofKind: UInt16(below(10)), payload: 8 * below(40))
                    // Mostly lengths and counts: the bytes that a reader could be led astray by.
                    for _ in 0..<below(4) { packet[below(packet.count)] = [0, 1, 8, 255, UInt8(below(256))][below(5)] }
                    if below(4) == 0 { packet.removeLast(below(packet.count)) }
                    if suanpan_seqpacket_send(intruder, packet, packet.count) < 0 { break }
                }
                #expect(harness.launcherProcess() == launcher && !isGone(process), "seed \(seed), round \(round)")
            }
            let event = await harness.log.first { if case .recovered(let known) = $0 { known.contains { $0.end == nil } } else { false } }
            #expect(event != .lost)
            #expect(kill(launcher, 0) == 0)
            while kill(process, SIGKILL) == 0, !isGone(process) { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    /// What starts /bin/true, were it left as it is.
    private static func startPacket(index: UInt32) -> [UInt8] {
        let strings = Array("/tmp\0/bin/true\0A=b\0".utf8)
        let padding = [UInt8](repeating: 0, count: (8 - strings.count % 8) % 8)
        var start = suanpan_start()
        start.header = suanpan_record_header(
            kind: UInt16(SUANPAN_START.rawValue), detail: 0,
            length: UInt32(MemoryLayout<suanpan_start>.size + strings.count + padding.count))
        start.attempt = suanpan_attempt(job: 77, index: index, number: 1)
        (start.fence, start.lane, start.user_id, start.group_id) = (1, UInt64(index), geteuid(), getegid())
        (start.argument_count, start.environment_count, start.strings_bytes) = (1, 1, UInt32(strings.count))
        let body = withUnsafeBytes(of: start) { Array($0) } + strings + padding
        let length = UInt32(MemoryLayout<suanpan_packet_header>.size + body.count)
        return withUnsafeBytes(of: suanpan_packet_header(version: UInt16(SUANPAN_LAUNCHER_VERSION), records: 1, length: length)) {
            Array($0)
        } + body
    }

    /// A packet of one record whose lengths are right and whose payload counts up.
    private static func packet(ofKind kind: UInt16, payload: Int) -> [UInt8] {
        let record = suanpan_record_header(kind: kind, detail: 0, length: UInt32(8 + payload))
        let body = withUnsafeBytes(of: record) { Array($0) } + (0..<payload).map { UInt8(truncatingIfNeeded: $0) }
        let length = UInt32(MemoryLayout<suanpan_packet_header>.size + body.count)
        let header = suanpan_packet_header(version: UInt16(SUANPAN_LAUNCHER_VERSION), records: 1, length: length)
        return withUnsafeBytes(of: header) { Array($0) } + body
    }

    /// Each writes when it starts and when it ends: what runs at the same time shows as a line out of turn.
    @Test(arguments: isolations) func successorsRunOneAfterTheOther(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            let file = harness.directory + "/turns"
            // Five in one lane, from two calls, and one beside them that must not wait.
            let orders = (0..<5).map { order($0, ["sh", "-c", "echo a\($0) >>\(file); sleep 0.02; echo b\($0) >>\(file)"], slot: 7) }
            try await harness.launch(Array(orders.prefix(3)))
            try await harness.launch(Array(orders.dropFirst(3)) + [order(9, ["sleep", "1000"])])
            _ = await harness.log.processID(of: attempt(9))
            let ends = await harness.log.ends(5)
            #expect(ends.values.allSatisfy { $0.manner == .exited(code: 0) })
            #expect(contents(file) == "a0 b0 a1 b1 a2 b2 a3 b3 a4 b4")
            try await harness.signal(attempt(9), SIGKILL)
            _ = await harness.log.end(of: attempt(9))
        }
    }

    /// A start that fails, and one that was withdrawn or told to stop, hand the lane on.
    @Test func whatNeverStartsDoesNotHoldUpItsLane() async throws {
        try await withHarness { harness in
            try await harness.launch(
                shell(0, "read line </dev/null; sleep 1000"), order(1, ["true"]), order(2, ["/no/such/program"], slot: 1_000),
                order(3, ["true"], slot: 1_000), order(4, ["true"], slot: 1_000), shell(5, "exit 5", slot: 1_000))
            _ = await harness.log.processID(of: attempt(0))
            try await harness.withdraw([attempt(0), attempt(3)])
            try await harness.signal(attempt(4), SIGTERM)
            #expect(await harness.log.end(of: attempt(3)).manner == .notStarted)
            #expect(await harness.log.end(of: attempt(4)).manner == .notStarted)
            try await harness.signal(attempt(0), SIGKILL)
            // Withdrawn while it ran: it ran on.
            #expect(await harness.log.end(of: attempt(0)).manner == .signalled(SIGKILL))
            #expect(await harness.log.end(of: attempt(2)).manner == .notFound)
            #expect(await harness.log.end(of: attempt(5)).manner == .exited(code: 5))
        }
    }

    /// Whoever comes back learns who waits; whoever takes over finds that they never started.
    @Test func thoseThatWaitSurviveTheAgentAndEndWithTheLauncher() async throws {
        let harness = LauncherHarness()
        #expect(try await harness.start() == [])
        try await harness.launch(order(0, ["sleep", "1000"], slot: 7), order(1, ["true"], fence: 3, slot: 7, note: [9]))
        _ = await harness.log.processID(of: attempt(0))
        harness.abandon()
        let second = LauncherHarness(directory: harness.directory)
        let known = try await second.start().sorted { $0.attempt < $1.attempt }
        #expect(known.map(\.slot) == [Fence(7), Fence(7)])
        #expect(known.map { $0.startedAt == nil } == [false, true])
        #expect(known[1].note == [9] && known[1].fence == Fence(3))
        #expect(kill(second.launcherProcess(), SIGKILL) == 0)
        let event = await second.log.first { if case .recovered(let known) = $0 { known.contains { $0.end != nil } } else { false } }
        guard case .recovered(let left) = event else { return }
        #expect(left.sorted { $0.attempt < $1.attempt }.map(\.end?.manner) == [.driverLost, .notStarted])
        try await second.release([attempt(0), attempt(1)])
        try await second.finish()
    }

    /// Many lanes, long ones: every attempt ends once, whatever order exits and starts come in.
    @Test(arguments: isolations) func manyShortSuccessors(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            let count: UInt32 = 2_000
            for first in stride(from: UInt32(0), to: count, by: 100) {
                try await harness.launch((first..<first + 100).map { order($0, ["/bin/true"], slot: UInt64($0 % 5)) })
            }
            try await harness.withdraw((0..<count).filter { $0 % 10 == 9 }.map { attempt($0) })
            let ends = await harness.log.ends(Int(count))
            #expect(ends.values.allSatisfy { $0.manner == .exited(code: 0) || $0.manner == .notStarted })
            let told = harness.log.all.count { if case .ended = $0 { true } else { false } }
            #expect(told == Int(count))
            try await harness.release((0..<count).map { attempt($0) })
        }
    }

    private func contents(_ path: String) -> String {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let length = read(file, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(length, 0)), as: UTF8.self).split(separator: "\n").joined(separator: " ")
    }

    /// Nobody tells the launcher to kill: its agent may be dead.
    @Test(arguments: isolations) func whatDependsOnTheLeaseEndsWithIt(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            let now = suanpan_boottime_ns()
            try await harness.holdLease(until: now + 400_000_000)
            var leased = shell(1, "sleep 100 & sleep 100")
            leased.dependsOnLease = true
            try await harness.launch(leased, shell(2, "sleep 100"))
            let process = await harness.log.processID(of: attempt(1))
            let other = await harness.log.processID(of: attempt(2))
            let end = await harness.log.end(of: attempt(1))
            #expect(end.manner == .leaseEnded)
            #expect(end.endedAt >= now + 400_000_000)
            #expect(isGone(process) && !isGone(other))
            // One that comes late is not even started.
            var late = shell(3, "exit 0")
            late.dependsOnLease = true
            try await harness.launch(late)
            let never = await harness.log.end(of: attempt(3))
            #expect(never.manner == .leaseEnded)
            // With a lease again, it is.
            try await harness.holdLease(until: suanpan_boottime_ns() + 60_000_000_000)
            var held = shell(4, "exit 0")
            held.dependsOnLease = true
            try await harness.launch(held)
            let done = await harness.log.end(of: attempt(4))
            #expect(done.manner == .exited(code: 0))
            try await harness.signal(attempt(2), SIGKILL)
            _ = await harness.log.end(of: attempt(2))
        }
    }

    @Test(arguments: isolations) func manyShortTasks(isolation: String) async throws {
        try await withHarness(isolation: isolation) { harness in
            let count: UInt32 = 2_000
            try await harness.launch((0..<count).map { order($0, ["/bin/true"]) })
            let ends = await harness.log.ends(Int(count))
            #expect(ends.values.allSatisfy { $0.manner == .exited(code: 0) })
            try await harness.release((0..<count).map { attempt($0) })
        }
    }
}
