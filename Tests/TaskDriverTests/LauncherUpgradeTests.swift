import AgentCore
import CLinuxShim
import ClusterModel
import Foundation
import Glibc
import TaskDrivers
import Testing

/// The launcher becomes its next program under running jobs (Protocols/launcher.md, "Upgrade"), and what it must do when little is
/// left to do it with.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LauncherUpgradeTests {
    /// As a package does it: another file under the same name. The launcher sees it when the agent comes back.
    @Test(arguments: LauncherDriverTests.isolations) func anUpgradeInPlaceEndsNothing(isolation: String) async throws {
        let program = "/tmp/suanpan-upgrade-\(getpid())-\(isolation)"
        try FileManager.default.copyItem(atPath: LauncherHarness.launcherPath, toPath: program)
        defer { unlink(program) }
        let before = LauncherHarness(isolation: isolation, program: program)
        #expect(try await before.start() == [])
        let go = before.directory + "/go"
        let waits = "echo before; while [ ! -e \(go) ]; do sleep 0.02; done; echo after; echo wrong >&2; exit 7"
        try await before.launch(
            order(0, ["sh", "-c", waits], slot: 7), order(1, ["sh", "-c", "echo next"], slot: 7), order(2, ["sleep", "1000"]),
            shell(3, "echo kept; ulimit -Sn; exit 3"))
        _ = await before.log.first { if case .outputGrew(attempt(0), _, _) = $0 { true } else { false } }
        let sleeper = await before.log.processID(of: attempt(2))
        _ = await before.log.end(of: attempt(3))
        let launcher = before.launcherProcess()
        try FileManager.default.copyItem(atPath: LauncherHarness.launcherPath, toPath: program + ".new")
        #expect(rename(program + ".new", program) == 0)
        before.abandon()

        let after = LauncherHarness(directory: before.directory, isolation: isolation, program: program)
        _ = try await after.start()
        while (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(launcher)/exe"))?.hasSuffix("(deleted)") != false {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(after.launcherProcess() == launcher && !isGone(sleeper))
        _ = FileManager.default.createFile(atPath: go, contents: nil)
        #expect(await after.log.endTold(of: attempt(0)).manner == .exited(code: 7))
        #expect(await after.log.endTold(of: attempt(1)).manner == .exited(code: 0))
        #expect(try await after.text(attempt(0)) == "before\nafter\n")
        #expect(try await after.text(attempt(0), .stderr) == "wrong\n")
        #expect(try await after.text(attempt(1)) == "next\n")
        let limit = try await after.text(attempt(3))
        #expect(limit.hasPrefix("kept\n"))
        try await after.signal(attempt(2), SIGKILL)
        #expect(await after.log.end(of: attempt(2)).manner == .signalled(SIGKILL))
        try await after.release([attempt(0), attempt(1), attempt(2), attempt(3)])
        try await after.launch(shell(4, "echo kept; ulimit -Sn"))
        #expect(await after.log.end(of: attempt(4)).manner == .exited(code: 0))
        #expect(try await after.text(attempt(4)) == limit, "jobs start as they did before")
        try await after.finish()
    }

    /// What stands at its path does not take over: nothing has changed, and nothing ends.
    @Test func aProgramThatCannotTakeOverIsNotBecome() async throws {
        let program = "/tmp/suanpan-upgrade-\(getpid())-refused"
        try FileManager.default.copyItem(atPath: LauncherHarness.launcherPath, toPath: program)
        defer { unlink(program) }
        let harness = LauncherHarness(program: program)
        #expect(try await harness.start() == [])
        try await harness.launch(order(0, ["sleep", "1000"]))
        let process = await harness.log.processID(of: attempt(0))
        try FileManager.default.copyItem(atPath: "/bin/false", toPath: program + ".new")
        #expect(rename(program + ".new", program) == 0)
        let launcher = harness.launcherProcess()
        kill(launcher, SIGHUP)
        while !log(of: harness).contains(where: { $0.contains("does not take over") }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(!isGone(process) && harness.launcherProcess() == launcher)
        try await harness.signal(attempt(0), SIGKILL)
        #expect(await harness.log.end(of: attempt(0)).manner == .signalled(SIGKILL))
        try await harness.finish()
    }

    /// Many, so that their names share places in the index.
    @Test func everyAttemptIsFoundAgain() async throws {
        let harness = LauncherHarness()
        #expect(try await harness.start() == [])
        let count: UInt32 = 24
        try await harness.launch((0..<count).map { order($0, ["sleep", "1000"]) })
        for index in 0..<count { _ = await harness.log.processID(of: attempt(index)) }
        try await becomeAgain(harness)
        // Known ones start nothing anew.
        try await harness.launch((0..<count).map { order($0, ["sleep", "1000"]) })
        try await harness.launch((count..<3 * count).map { order($0, ["true"]) })
        for index in count..<3 * count { #expect(await harness.log.endTold(of: attempt(index)).manner == .exited(code: 0)) }
        for index in 0..<count { try await harness.signal(attempt(index), SIGTERM) }
        for index in 0..<count { #expect(await harness.log.endTold(of: attempt(index)).manner == .signalled(SIGTERM)) }
        try await harness.release((0..<3 * count).map { attempt($0) })
        try await harness.finish()
    }

    /// Attempts begin, end and leave processes behind while one program follows the other.
    @Test(arguments: LauncherDriverTests.isolations) func upgradesInTheMidstOfStartsAndEnds(isolation: String) async throws {
        let harness = LauncherHarness(isolation: isolation)
        #expect(try await harness.start() == [])
        let count: UInt32 = 60
        let scripts = (0..<count).map { shell($0, "(sleep 0.1) & sleep 0.0\($0 % 10); echo \($0); exit \($0)", slot: 1 + UInt64($0 % 9)) }
        for _ in 0..<12 {
            // What the connection had not carried when it ended, its agent sends again.
            try await harness.launch(scripts)
            try await becomeAgain(harness)
        }
        try await harness.launch(scripts)
        for index in 0..<count {
            #expect(await harness.log.endTold(of: attempt(index)).manner == .exited(code: Int32(index)))
            #expect(try await harness.text(attempt(index)) == "\(index)\n")
        }
        try await harness.release((0..<count).map { attempt($0) })
        try await harness.finish()
    }

    /// Attempts hold every descriptor that there is; the lease ends them all the same.
    @Test func theLeaseEndsWhatHoldsAllDescriptors() async throws {
        let script = "/tmp/suanpan-few-files-\(getpid())"
        let text = "#!/bin/sh\nexec prlimit --nofile=96:96 \(LauncherHarness.launcherPath) \"$@\"\n"
        #expect(FileManager.default.createFile(atPath: script, contents: text.data(using: .utf8), attributes: [.posixPermissions: 0o755]))
        defer { unlink(script) }
        let harness = LauncherHarness(program: script)
        #expect(try await harness.start() == [])
        try await harness.holdLease(until: suanpan_boottime_ns() + 2_000_000_000)
        let count: UInt32 = 16
        try await harness.launch(
            (0..<count).map { index in
                var leased = shell(index, "echo x; echo y >&2; exec sleep 1000")
                leased.dependsOnLease = true
                return leased
            })
        var manners: [ProcessEnd.Manner] = []
        for index in 0..<count { manners.append(await harness.log.end(of: attempt(index)).manner) }
        let refused = manners.count { if case .cannotExecute(let reason) = $0 { reason.contains("Too many open files") } else { false } }
        #expect(refused > 0 && manners.count { $0 == .leaseEnded } == Int(count) - refused, "\(manners)")
        try await harness.release((0..<count).map { attempt($0) })
        try await harness.finish()
    }

    /// As the first process of many a container: it becomes the parent of what a dead launcher leaves, and asks for none of it.
    @Test func whatNobodyReapsIsDead() async throws {
        try adoptOrphans(true)
        defer { try? adoptOrphans(false) }
        let harness = LauncherHarness(isolation: "subreaper")
        #expect(try await harness.start() == [])
        try await harness.launch(order(0, ["sleep", "1000"]))
        let process = await harness.log.processID(of: attempt(0))
        #expect(kill(harness.launcherProcess(), SIGKILL) == 0)
        #expect(await harness.log.endTold(of: attempt(0)).manner == .driverLost)
        waitpid(process, nil, 0)
        try await harness.release([attempt(0)])
        try await harness.finish()
    }

    /// Swift does not import what takes any number of arguments.
    private func adoptOrphans(_ adopts: Bool) throws {
        typealias Function = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        let prctl = unsafeBitCast(try #require(dlsym(nil, "prctl")), to: Function.self)
        let setChildSubreaper: Int32 = 36
        #expect(prctl(setChildSubreaper, adopts ? 1 : 0, 0, 0, 0) == 0)
    }

    /// The launcher executes its own file once more.
    private func becomeAgain(_ harness: LauncherHarness) async throws {
        func listings() -> Int { harness.log.all.count { if case .recovered = $0 { true } else { false } } }
        let before = listings()
        #expect(kill(harness.launcherProcess(), SIGHUP) == 0)
        while listings() == before { try await Task.sleep(for: .milliseconds(2)) }
    }

    private func log(of harness: LauncherHarness) -> [Substring] {
        let bytes = FileManager.default.contents(atPath: harness.directory + "/launcher.log") ?? .init()
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
