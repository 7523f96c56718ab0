// What goes wrong, drawn anew in each step.

import AgentCore
import ClusterModel
import SchedulingCore

extension Simulation {
    mutating func beginFaults() {
        network.forgetHealed(at: now)
        guard faultsLast else { return }
        let rates = plan.machines
        if coordinator != nil, chance.chance(milli: rates.coordinatorCrashMilli) { crashCoordinator() }
        if coordinator != nil, coordinatorPausedUntil <= now, chance.chance(milli: rates.coordinatorPauseMilli) {
            faults.coordinatorPauses += 1
            coordinatorPausedUntil = now + chance.between(100_000_000, 45_000_000_000)
            log.note(step, now, "coordinator stops until \(coordinatorPausedUntil / 1_000_000) ms")
        }
        if chance.chance(milli: rates.clockStepMilli) {
            faults.clockSteps += 1
            wallError = chance.between(-21_600_000_000_000, 21_600_000_000_000)
            log.note(step, now, "the wall clock is wrong by \(wallError / 1_000_000_000) s")
        }
        for agent in agents { beginFaults(of: agent) }
        if agents.count < plan.nodes + 2, chance.chance(milli: rates.cloneMilli) { cloneAgent() }
    }

    private mutating func beginFaults(of agent: SimulatedAgent) {
        let rates = plan.machines
        if chance.chance(milli: rates.agentCrashMilli) {
            faults.agentCrashes += 1
            log.note(step, now, "agent \(agent.wire) crashes")
            agent.crashAgent(at: now, for: chance.chance(milli: 700) ? 1 : chance.between(1_000_000, 40_000_000_000))
            connectionEnds(agent)
        }
        if chance.chance(milli: rates.agentPauseMilli) {
            faults.agentPauses += 1
            log.note(step, now, "agent \(agent.wire) stops")
            agent.pauseAgent(until: now + chance.between(100_000_000, 45_000_000_000))
        }
        if chance.chance(milli: rates.freezeMilli) {
            faults.freezes += 1
            log.note(step, now, "machine \(agent.wire) freezes")
            agent.freeze(until: now + chance.between(100_000_000, 45_000_000_000))
        }
        if chance.chance(milli: rates.launcherCrashMilli) {
            faults.launcherCrashes += 1
            log.note(step, now, "launcher \(agent.wire) crashes")
            perform(agent.crashLauncher(at: now), for: agent)
        }
        if chance.chance(milli: rates.rebootMilli) {
            faults.reboots += 1
            log.note(step, now, "machine \(agent.wire) restarts")
            agent.reboot(at: now, for: chance.between(1_000_000_000, 60_000_000_000))
            connectionEnds(agent)
        }
        if chance.chance(milli: plan.network.partitionMilli) { part(agent) }
        if chance.chance(milli: plan.disk.agentFullMilli) {
            faults.agentDisksFull += 1
            let isFull = chance.chance(milli: 500)
            log.note(step, now, "the disk of machine \(agent.wire) is \(isFull ? "full" : "good")")
            agent.turnDisk(full: isFull)
        }
        // Old ones are kept long: a copy matters where its disk has gone out of date.
        if chance.chance(milli: images[agent.wire] == nil ? 20 : 2) { images[agent.wire] = agent.kept }
    }

    /// Both ends hear of it.
    private mutating func connectionEnds(_ agent: SimulatedAgent) {
        network.cut(agent.wire, at: now)
        coordinator?.disconnected(agent.node, wire: agent.wire)
    }

    /// In one direction, or in both. A short one only delays; a longer one ends the connection, which each end finds out.
    private mutating func part(_ agent: SimulatedAgent) {
        faults.partitions += 1
        let length = chance.between(100_000_000, 45_000_000_000)
        let kind = chance.below(3)
        log.note(step, now, "machine \(agent.wire) is parted (\(["both ways", "up", "down"][kind])) for \(length / 1_000_000) ms")
        if length > 5_000_000_000 {
            connectionEnds(agent)
            if agent.isConnected { perform(agent.handle(.disconnected, at: now), for: agent) }
        }
        network.part(agent.wire, isUp: kind != 2, isDown: kind != 1, until: now + length)
    }

    /// A machine is made from an image of another's disk that has gone out of date since.
    private mutating func cloneAgent() {
        let original = agents[chance.below(plan.nodes)]
        guard let image = images[original.wire].map(SeenState.init(of:)), let coordinator, image.session > SessionID(0),
            coordinator.loop.core.sessionSeen(by: original.node) > image.session
        else { return }
        faults.clones += 1
        let wire = agents.map(\.wire).max()! + 1
        log.note(step, now, "machine \(wire) is a copy of \(original.wire), as it was in session \(image.session)")
        agents.append(SimulatedAgent(copyOf: original, disk: images[original.wire]!, wire: wire, plan: plan, at: now))
    }
}
