import Testing

@testable import ControlCommands

@Suite("What `up` does when")
struct UpMachineTests {
    /// A machine whose daemons are ready.
    private static func running(simulated: Bool = false) -> UpMachine {
        var machine = UpMachine(hasSimulatedNodes: simulated)
        _ = machine.handle(.start, at: .zero)
        for role in DaemonRole.allCases { _ = machine.handle(.ready(role), at: .zero) }
        return machine
    }

    @Test("the coordinator first, then the agents, then the banner")
    func start() {
        var machine = UpMachine(hasSimulatedNodes: true)
        #expect(machine.handle(.start, at: .zero) == [.launch(.coordinator)])
        #expect(machine.handle(.ready(.coordinator), at: .zero) == [.launch(.agent), .launch(.simulated)])
        #expect(machine.handle(.ready(.simulated), at: .zero) == [])
        #expect(machine.handle(.ready(.agent), at: .zero) == [.announce])
    }

    @Test("a daemon that does not start ends everything, with its log")
    func failedStart() {
        var machine = UpMachine(hasSimulatedNodes: false)
        _ = machine.handle(.start, at: .zero)
        let actions = machine.handle(.ended(.coordinator, code: 1), at: .zero)
        #expect(actions == [.say("The coordinator did not start:"), .showLog(.coordinator), .watchStop, .finish(1)])
    }

    @Test("an agent that does not start takes the coordinator with it")
    func failedAgent() {
        var machine = UpMachine(hasSimulatedNodes: false)
        _ = machine.handle(.start, at: .zero)
        _ = machine.handle(.ready(.coordinator), at: .zero)
        let actions = machine.handle(.ended(.agent, code: 1), at: .zero)
        #expect(actions.suffix(2) == [.watchStop, .signal(.coordinator, .terminate)])
        #expect(machine.handle(.ended(.coordinator, code: 0), at: .zero) == [.finish(1)])
    }

    @Test("Ctrl-C: jobs, agents, coordinator")
    func interrupt() {
        var machine = Self.running(simulated: true)
        #expect(machine.handle(.interrupt, at: .zero) == [.stopJobs])
        #expect(
            machine.handle(.jobsStopped(left: 0), at: .zero) == [.watchStop, .signal(.agent, .terminate), .signal(.simulated, .terminate)])
        #expect(machine.handle(.ended(.agent, code: 0), at: .zero) == [])
        #expect(machine.handle(.ended(.simulated, code: 0), at: .zero) == [.signal(.coordinator, .terminate)])
        #expect(machine.handle(.ended(.coordinator, code: 0), at: .zero) == [.finish(0)])
    }

    @Test("a second Ctrl-C has the agent kill the jobs")
    func secondInterrupt() {
        var machine = Self.running()
        _ = machine.handle(.interrupt, at: .zero)
        #expect(machine.handle(.interrupt, at: .zero) == [.say("Killing the jobs."), .watchStop, .signal(.agent, .interrupt)])
        #expect(machine.handle(.jobsStopped(left: 2), at: .zero) == [])
        #expect(machine.handle(.stopOverdue, at: .zero) == [.signal(.coordinator, .kill), .signal(.agent, .kill)])
        _ = machine.handle(.ended(.coordinator, code: 137), at: .zero)
        #expect(machine.handle(.ended(.agent, code: 137), at: .zero) == [.finish(130)])
    }

    @Test("SIGTERM leaves the jobs alone")
    func terminate() {
        var machine = Self.running()
        #expect(machine.handle(.terminate, at: .zero) == [.watchStop, .signal(.agent, .terminate)])
        #expect(machine.handle(.restartDue(.agent), at: .zero) == [])
    }

    @Test("an agent is always started again, a coordinator five times a minute")
    func restarts() {
        var machine = Self.running()
        for round in 0..<20 {
            let actions = machine.handle(.ended(.agent, code: 139), at: .seconds(round))
            #expect(actions.first == .say("The agent ended by signal 11; starting it again."))
            #expect(machine.handle(.restartDue(.agent), at: .seconds(round)) == [.launch(.agent)])
        }
        for round in 0..<5 {
            #expect(machine.handle(.ended(.coordinator, code: 1), at: .seconds(round)).count == 2)
            _ = machine.handle(.restartDue(.coordinator), at: .seconds(round))
        }
        #expect(machine.handle(.ready(.coordinator), at: .seconds(6)) == [.say("The coordinator is back.")])
        #expect(machine.handle(.ended(.coordinator, code: 1), at: .seconds(10)).contains(.showLog(.coordinator)))
    }

    @Test("restarts of long ago do not count")
    func restartWindow() {
        var machine = Self.running()
        for round in 0..<20 {
            let actions = machine.handle(.ended(.coordinator, code: 1), at: .seconds(round * 13))
            #expect(actions.contains { if case .restart = $0 { true } else { false } })
            _ = machine.handle(.restartDue(.coordinator), at: .seconds(round * 13))
        }
    }
}
