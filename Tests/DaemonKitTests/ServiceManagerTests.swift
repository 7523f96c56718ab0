import Foundation
import Glibc
import Testing

@testable import DaemonKit

@Suite struct ServiceManagerTests {
    /// A datagram socket under a name, as a service manager has it; gives what one `tell` sends.
    private func received(under name: String, tell path: String) throws -> String {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(name.utf8)) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 }
        }
        try #require(isBound)
        ServiceManager.tell("READY=1", socketPath: path)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test func theStateArrivesUnderAPathAndUnderAnAbstractName() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("notify-\(UUID().uuidString.prefix(8))").path
        defer { unlink(path) }
        #expect(try received(under: path, tell: path) == "READY=1")
        let name = "suanpan-\(UUID().uuidString)"
        #expect(try received(under: "\0\(name)", tell: "@\(name)") == "READY=1")
    }

    @Test(arguments: [nil, "", "@", "relative", "vsock:2:1", "/" + String(repeating: "a", count: 200), "/nowhere/there"])
    func nobodyListeningIsNoProblem(_ path: String?) { ServiceManager.tell("READY=1", socketPath: path) }
}
