/// Commands that wait for the loop, bounded, in two lanes: what agents and timers say goes first and has room of its own,
/// so a flood of clients can never keep the cluster from hearing itself.
public struct CommandInbox: Sendable {
    private var agents: Lane
    private var clients: Lane

    private struct Lane: Sendable {
        let limit: Int
        var commands: [OfferedCommand] = []
        var head = 0

        var count: Int { commands.count - head }

        mutating func next() -> OfferedCommand? {
            guard head < commands.count else { return nil }
            defer {
                head += 1
                if head == commands.count {
                    commands.removeAll(keepingCapacity: commands.capacity <= 4096)
                    head = 0
                }
            }
            return commands[head]
        }
    }

    public init(clientLimit: Int = 16_384, agentLimit: Int = 262_144) {
        agents = Lane(limit: agentLimit)
        clients = Lane(limit: clientLimit)
    }

    public var isEmpty: Bool { agents.count == 0 && clients.count == 0 }
    public var count: Int { agents.count + clients.count }

    public mutating func offer(_ command: OfferedCommand) -> Bool {
        if command.command.isFromClient {
            guard clients.count < clients.limit else { return false }
            clients.commands.append(command)
        } else {
            guard agents.count < agents.limit else { return false }
            agents.commands.append(command)
        }
        return true
    }

    mutating func next() -> OfferedCommand? { agents.next() ?? clients.next() }
}

extension Command {
    /// Whether a person's request; everything else is the cluster speaking.
    public var isFromClient: Bool {
        switch self {
        case .submit, .cancel, .updateJob, .retry, .setNodeCordon, .drainNode, .removeNode, .moveNode, .confirmDead, .createJoinToken,
            .createKey,
            .revokeKey,
            .setSecret, .removeSecret, .createDataset, .removeDataset, .setShareObject, .removeShareObject:
            true
        case .enroll, .register, .report, .disconnected, .goodbye, .leaseExpired, .tick: false
        }
    }

    /// Whether it asks for something that stays: what a full disk refuses. Whatever ends or frees something is let through.
    public var addsToState: Bool {
        switch self {
        case .submit, .updateJob, .retry, .createJoinToken, .createKey, .setSecret, .createDataset, .setShareObject: true
        case .cancel, .setNodeCordon, .drainNode, .removeNode, .moveNode, .confirmDead, .revokeKey, .removeSecret, .removeDataset,
            .removeShareObject,
            .enroll, .register, .report, .disconnected, .goodbye, .leaseExpired, .tick:
            false
        }
    }
}
