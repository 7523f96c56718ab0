/// A Debian package of the agent that the coordinator offers.
struct AgentPackage: Hashable, Sendable {
    /// `suanpan-agent_VERSION_ARCHITECTURE.deb`.
    var name: String
    var version: String
    /// As `dpkg --print-architecture` says it.
    var architecture: String
    var sizeBytes: Int64
    /// SHA-256 of its bytes.
    var digest: [UInt8]

    /// The architecture of this program, which most nodes share with their coordinator.
    static var ownArchitecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }

    /// Version and architecture in a file's name; nil for a file that is no package of the agent. What passes here may stand in a
    /// shell script and in an address as it is.
    static func parts(ofName name: String) -> (version: String, architecture: String)? {
        guard name.utf8.count <= 255, name.hasSuffix(".deb") else { return nil }
        let parts = name.dropLast(4).split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "suanpan-agent", isPlain(parts[1], beside: ".+~-"), isPlain(parts[2], beside: "-") else {
            return nil
        }
        return (String(parts[1]), String(parts[2]))
    }

    private static func isPlain(_ text: Substring, beside others: String) -> Bool {
        !text.isEmpty && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: others.utf8.contains(byte)
                }
            }
    }
}
