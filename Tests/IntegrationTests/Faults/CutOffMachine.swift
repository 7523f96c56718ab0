import Foundation
import Glibc

/// A part of this machine with a network of its own (a network namespace) and one link to the rest, whose packets can be dropped
/// either way: unlike a closed connection, nobody is told. Needs root, iproute2 and nftables.
final class CutOffMachine {
    enum Direction: String, CaseIterable {
        case bothWays, inward, outward
    }

    private static let ipProgram = program("ip")
    private static let nftProgram = program("nft")
    static let isPossible = geteuid() == 0 && ipProgram != nil && nftProgram != nil

    static func program(_ name: String) -> String? {
        ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private let name: String
    /// Of this machine's end of the link.
    let hostAddress: String
    private let interface: String

    init(_ number: Int = 1) throws {
        let unique = Int(getpid()) % 4096
        name = "suanpan-\(unique)-\(number)"
        interface = "sp\(unique)-\(number)"
        let network = "10.\(213 + number % 16).\(unique / 64)"
        let base = unique % 64 * 4
        hostAddress = "\(network).\(base + 1)"
        try ip("netns", "add", name)
        try ip("link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", name)
        try ip("addr", "add", "\(hostAddress)/30", "dev", interface)
        try ip("link", "set", interface, "up")
        try ip("-n", name, "addr", "add", "\(network).\(base + 2)/30", "dev", "eth0")
        try ip("-n", name, "link", "set", "eth0", "up")
        try ip("-n", name, "link", "set", "lo", "up")
        try nft("add table inet \(name)")
        try nft("add chain inet \(name) outward { type filter hook input priority 0; }")
        try nft("add chain inet \(name) inward { type filter hook output priority 0; }")
    }

    deinit {
        try? nft("delete table inet \(name)")
        try? ip("netns", "del", name)
        try? ip("link", "del", interface)
    }

    /// What a daemon runs in to be there.
    var surroundings: Surroundings { Surroundings(wrapper: [Self.ipProgram ?? "", "netns", "exec", name]) }

    /// Drops packets from it, to it, or both, until `heal`.
    func cut(_ direction: Direction) throws {
        if direction != .inward { try nft("add rule inet \(name) outward iifname \(interface) drop") }
        if direction != .outward { try nft("add rule inet \(name) inward oifname \(interface) drop") }
    }

    /// Drops so many of a hundred packets each way, until `heal`.
    func lose(percent: Int) throws {
        try nft("add rule inet \(name) outward iifname \(interface) numgen random mod 100 < \(percent) drop")
        try nft("add rule inet \(name) inward oifname \(interface) numgen random mod 100 < \(percent) drop")
    }

    /// Drops what tells the coordinator that a connection has ended, until `heal`: it stays half open.
    func hideEnds() throws { try nft("add rule inet \(name) outward iifname \(interface) tcp flags & (fin|rst) != 0 drop") }

    func heal() throws {
        try nft("flush chain inet \(name) outward")
        try nft("flush chain inet \(name) inward")
    }

    private func ip(_ arguments: String...) throws { try Self.run(Self.ipProgram ?? "", arguments) }
    private func nft(_ command: String) throws { try Self.run(Self.nftProgram ?? "", [command]) }

    static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ClusterError(message: "\(program) \(arguments.joined(separator: " ")): exit status \(process.terminationStatus)")
        }
    }
}
