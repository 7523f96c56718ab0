import Testing

@testable import ControlCommands

@Suite("What doctor makes of a machine")
struct DoctorTests {
    /// A machine on which nothing is to be mended.
    private var sound: HostDescription {
        var host = HostDescription()
        host.programs = ["suanpan-agent": "/usr/bin/suanpan-agent"]
        host.kernel = "6.1.0-28-amd64"
        host.controlGroups = .version2(controllers: ["cpuset", "cpu", "io", "memory", "pids"], isWritable: true)
        host.directories = [.init(path: "/var/lib/suanpan", mode: 0o711, owner: 998, freeBytes: 100 << 30, freeFiles: 1_000_000)]
        host.openFilesMax = 524_288
        host.isClockSynchronised = true
        host.libraries = ["libzmq.so.5": true]
        host.settings = [.init(path: "/etc/suanpan/agent.yaml", complaint: nil)]
        host.ports = [.init(number: 8470, purpose: "interface", holder: nil)]
        host.units = [.init(name: "suanpan-agent", state: "active", isEnabled: true)]
        return host
    }

    private func findings(_ change: (inout HostDescription) -> Void) -> [Check] {
        var host = sound
        change(&host)
        return HostFindings.all(of: host).filter { $0.verdict != .ok }
    }

    @Test("nothing to mend")
    func healthy() { #expect(findings { _ in } == []) }

    private func expectOne(
        _ subject: String, _ verdict: Check.Verdict, _ words: String, location: SourceLocation = #_sourceLocation,
        _ change: (inout HostDescription) -> Void
    ) {
        let found = findings(change)
        #expect(found.map(\.subject) == [subject] && found.map(\.verdict) == [verdict], "\(found)", sourceLocation: location)
        #expect(found.first?.finding.contains(words) == true && found.first?.remedy != nil, "\(found)", sourceLocation: location)
    }

    @Test("each fault is one finding with a remedy")
    func faults() {
        expectOne("cgroup", .warning, "v1 only") { $0.controlGroups = .version1 }
        expectOne("cgroup", .warning, "no cgroups") { $0.controlGroups = .none }
        expectOne("cgroup", .warning, "lacks memory") { $0.controlGroups = .version2(controllers: ["cpu", "pids"], isWritable: true) }
        expectOne("cgroup", .warning, "not delegated") {
            $0.controlGroups = .version2(controllers: ["cpu", "memory", "pids"], isWritable: false)
        }
        expectOne("open-files", .warning, "1024") { $0.openFilesMax = 1024 }
        expectOne("clock", .warning, "not synchronised") { $0.isClockSynchronised = false }
        expectOne("libraries", .problem, "libzmq.so.5") { $0.libraries["libzmq.so.5"] = false }
        expectOne("program", .warning, "suanpan-agent") { $0.programs.updateValue(nil, forKey: "suanpan-agent") }
        expectOne("space", .problem, "500 MiB") { $0.directories[0].freeBytes = 500 << 20 }
        expectOne("space", .warning, "2 GiB") { $0.directories[0].freeBytes = 2 << 30 }
        expectOne("space", .problem, "inodes") { $0.directories[0].freeFiles = 12 }
        expectOne("permissions", .problem, "written by others") { $0.directories[0].mode = 0o777 }
        expectOne("permissions", .problem, "read by others") { $0.directories[0].secrets = [.init(path: "/k", mode: 0o640, owner: 998)] }
        expectOne("permissions", .problem, "user 0") { $0.directories[0].secrets = [.init(path: "/k", mode: 0o600, owner: 0)] }
        expectOne("settings", .problem, "unknown key 'htp'") { $0.settings[0].complaint = "agent.yaml: unknown key 'htp'" }
        expectOne("port", .warning, "nginx") { $0.ports[0].holder = "nginx" }
        expectOne("unit", .problem, "failed") { $0.units?[0].state = "failed" }
        expectOne("unit", .problem, "inactive") { $0.units?[0].state = "inactive" }
    }

    @Test("what is meant to be so is no fault")
    func harmless() {
        #expect(findings { $0.ports[0].holder = "suanpan-coordin" } == [])
        #expect(findings { $0.ports[0].holder = "" } == [])
        #expect(findings { $0.units = nil } == [])
        #expect(findings { $0.units?[0] = .init(name: "suanpan-agent", state: "inactive", isEnabled: false) } == [])
        #expect(findings { $0.directories[0] = .init(path: "/new", error: nil, isThere: false) } == [])
    }

    @Test("a directory of another user is a problem for its owner only")
    func foreignDirectory() {
        let foreign = findings {
            $0.userID = 1000
            $0.directories[0].error = "Permission denied"
        }
        #expect(foreign.map(\.verdict) == [.warning])
        let own = findings {
            $0.userID = 998
            $0.directories[0].error = "Permission denied"
        }
        #expect(own.map(\.verdict) == [.problem])
    }
}

@Suite("What doctor makes of a coordinator")
struct CoordinatorFindingsTests {
    private var sound: CoordinatorDescription {
        var coordinator = CoordinatorDescription(url: "http://c:8470")
        coordinator.cluster = ["epoch": 3, "version": "1.2.3", "time": "2026-05-28T20:26:40Z"]
        coordinator.now = Timestamp(rfc3339: "2026-05-28T20:26:42Z")!
        coordinator.isAdministrator = true
        coordinator.nodes = [["name": "n1", "state": "ready"]]
        return coordinator
    }

    private func findings(_ change: (inout CoordinatorDescription) -> Void) -> [Check] {
        var coordinator = sound
        change(&coordinator)
        return CoordinatorFindings.all(of: coordinator, version: "1.2.3").filter { $0.verdict != .ok }
    }

    @Test("nothing to mend")
    func healthy() { #expect(findings { _ in } == []) }

    private func expectOne(
        _ subject: String, _ verdict: Check.Verdict, _ words: String, location: SourceLocation = #_sourceLocation,
        _ change: (inout CoordinatorDescription) -> Void
    ) {
        let found = findings(change)
        #expect(found.map(\.subject) == [subject] && found.map(\.verdict) == [verdict], "\(found)", sourceLocation: location)
        #expect(found.first?.finding.contains(words) == true && found.first?.remedy != nil, "\(found)", sourceLocation: location)
    }

    @Test("each fault is one finding")
    func faults() {
        expectOne("coordinator", .problem, "refused") {
            $0.cluster = nil
            $0.failure = CommandFailure(.unreachable, "refused", remedy: "start it")
        }
        expectOne("coordinator", .problem, "starting") { $0.isReady = false }
        expectOne("version", .warning, "1.2.2") { $0.cluster = ["version": "1.2.2", "time": "2026-05-28T20:26:40Z"] }
        expectOne("clock", .warning, "1m") { $0.now = Timestamp(rfc3339: "2026-05-28T20:25:40Z")! }
        expectOne("nodes", .warning, "n1 (unreachable)") { $0.nodes = [["name": "n1", "state": "unreachable"]] }
        expectOne("nodes", .warning, "no node") { $0.nodes = [] }
    }
}
