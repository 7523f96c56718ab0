import Glibc

/// Tells systemd, or whoever started this program in its manner, how the service is: one datagram to the socket that
/// `NOTIFY_SOCKET` names (sd_notify(3), whose page promises that this protocol stays). Does nothing where nobody listens.
public enum ServiceManager {
    /// `systemctl start` waits for this under `Type=notify`.
    public static func tellReady() { tell("READY=1", socketPath: getenv("NOTIFY_SOCKET").map { String(cString: $0) }) }

    static func tell(_ state: String, socketPath: String?) {
        guard let socketPath, var address = address(socketPath) else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(state.utf8)
        // The length counts the name's bytes: one in the abstract namespace ends where they end.
        let length = socklen_t(MemoryLayout<sa_family_t>.size + socketPath.utf8.count)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, length)
            }
        }
    }

    /// nil for what is no such socket. A leading `@` stands for the abstract namespace, whose names begin with a zero byte.
    private static func address(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard let first = name.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            name.count > 1, name.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return nil }
        if first == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        return address
    }
}
