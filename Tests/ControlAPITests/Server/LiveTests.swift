import ClusterModel
import ClusterPorts
import HTTPTypes
import HummingbirdTesting
import Logging
import SchedulingCore
import Synchronization
import Testing

@testable import ControlAPI

@Suite("Over a socket", .serialized, .timeLimit(.minutes(1)))
struct LiveTests {
    private static let attempt = AttemptID(job: JobID(1), index: 0, number: 1)

    private static func connection(_ interface: Interface) throws -> RawConnection {
        try RawConnection(port: try #require(interface.client.port))
    }

    @Test("requests share a connection")
    func keepAlive() async throws {
        try await Interface.run(.live) { interface async throws in
            #expect(try await interface.post("/v1/jobs", #"{"command": ["true"]}"#).status == .created)
            #expect(try await interface.get("/v1/jobs/1").headers[.server] == "suanpan")
            #expect(try await interface.get("/v1/jobs/2").status == .notFound)
            #expect(try await interface.get("/v1/jobs/1/logs").text.isEmpty)
        }
    }

    @Test("when all places are taken, the connection that was idle longest gives way; one at work never does")
    func places() async throws {
        try await Interface.run(.live, connections: 4) { interface async throws in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.attempt(1, 0, 1))
            interface.plane.logStore.makeEndless(Self.attempt, .stdout)
            let working = try Self.connection(interface)
            working.get("/v1/jobs/1/logs?follow&stream=stdout", as: .user)
            #expect(working.receive(100).hasPrefix("HTTP/1.1 200"))
            func ask(_ connection: RawConnection) -> Bool {
                connection.get("/livez", as: .user)
                return connection.receive().hasPrefix("HTTP/1.1 200")
            }
            let (first, second) = (try Self.connection(interface), try Self.connection(interface))
            #expect(ask(first) && ask(second) && ask(first))
            // The test's own client was idle longest, then one of these two: on a busy machine an answer is noted late, so which
            // of them is told exactly only where time stands still (ConnectionPlacesTests).
            let (third, fourth) = (try Self.connection(interface), try Self.connection(interface))
            #expect(ask(third) && ask(fourth))
            #expect([first, second].count { ask($0) } == 1)
            #expect(!working.receive(100).isEmpty)
        }
    }

    @Test("half-open connections keep nobody out")
    func halfOpen() async throws {
        try await Interface.run(.live, connections: 32) { interface async throws in
            let halfOpen = try (0..<160).map { _ in
                let connection = try Self.connection(interface)
                connection.send("GET /livez HTTP/1.1\r\nHost: ")
                return connection
            }
            let asking = try Self.connection(interface)
            asking.get("/v1/jobs", as: .user)
            #expect(asking.receive().hasPrefix("HTTP/1.1 200"))
            #expect(halfOpen[0].receive().isEmpty)
        }
    }

    @Test("a body is bounded whether or not it says its length")
    func bodies() async throws {
        try await Interface.run(.live) { interface async throws in
            let said = try Self.connection(interface)
            said.send("POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: \(Caller.user.authorization)\r\n")
            said.send("Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")
            #expect(said.receive().hasPrefix("HTTP/1.1 413"))
            let unsaid = try Self.connection(interface)
            unsaid.send("POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: \(Caller.user.authorization)\r\n")
            unsaid.send("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "8000\r\n" + String(repeating: " ", count: 0x8000) + "\r\n"
            for _ in 0..<40 { unsaid.send(chunk) }
            #expect(unsaid.receive().hasPrefix("HTTP/1.1 413"))
            #expect(try await interface.get("/livez").status == .ok)
        }
    }

    @Test("oversized headers, broken requests and a foreign host are refused")
    func headers() async throws {
        try await Interface.run(.live) { interface async throws in
            for request in [
                "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Big: \(String(repeating: "x", count: 20_000))\r\n\r\n",
                "GET /livez HTTP/1.1\r\nHost: localhost\r\n\(String(repeating: "X-A: b\r\n", count: 200))\r\n",
                "NONSENSE\r\n\r\n", "GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            ] {
                let connection = try Self.connection(interface)
                connection.send(request)
                #expect(connection.receive().hasPrefix("HTTP/1.1 400"))
            }
            for host in ["Host: evil.example\r\n", "Host: evil.example:8470\r\n", ""] {
                let connection = try Self.connection(interface)
                connection.send("GET /v1/jobs HTTP/1.1\r\n\(host)Authorization: \(Caller.user.authorization)\r\nConnection: close\r\n\r\n")
                let reply = connection.receiveAll()
                #expect(reply.hasPrefix("HTTP/1.1 421") || reply.hasPrefix("HTTP/1.1 400"), "\(reply)")
            }
        }
    }

    @Test("a reader that stops costs a bounded amount and holds up nobody")
    func stoppedReader() async throws {
        try await Interface.run(.live, logReaders: 2) { interface async throws in
            let plane = interface.plane
            plane.add(Fixture.specification())
            plane.add(Fixture.attempt(1, 0, 1))
            plane.logStore.makeEndless(Self.attempt, .stdout)
            let stopped = try Self.connection(interface)
            stopped.get("/v1/jobs/1/logs?follow&stream=stdout", as: .user)
            let other = try Self.connection(interface)
            other.get("/v1/jobs/1/logs?stream=stdout", as: .user)
            #expect(stopped.receive(100).hasPrefix("HTTP/1.1 200"))
            // Until what the system buffers is full, however slow the machine is; without a bound it never is.
            var read = 0
            repeat {
                read = plane.logStore.bytesRead
                try await Task.sleep(for: .milliseconds(500))
            } while plane.logStore.bytesRead != read && read < 16 << 20
            #expect(read < 16 << 20, "nothing is read for readers that take nothing")
            for _ in 0..<20 { #expect(try await interface.get("/v1/jobs").status == .ok) }
            // Both places of this key are taken; other keys have their own.
            let refused = try await interface.get("/v1/jobs/1/logs")
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] == "5")
            stopped.close()
            other.close()
            plane.add(Fixture.specification(name: "quiet"))
            for _ in 0..<1000 {
                if try await interface.get("/v1/jobs/2/logs").status == .ok { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await interface.get("/v1/jobs/2/logs").status == .ok)
        }
    }

    @Test("output arrives as it is written, and a client that leaves ends the work")
    func disconnect() async throws {
        try await Interface.run(.live) { interface async throws in
            let plane = interface.plane
            plane.add(Fixture.specification())
            plane.add(Fixture.attempt(1, 0, 1))
            let connection = try Self.connection(interface)
            connection.get("/v1/jobs/1/logs?follow", as: .user)
            #expect(connection.receive().hasPrefix("HTTP/1.1 200"))
            plane.logStore.write(Self.attempt, .stdout, "epoch 1")
            var seen = ""
            while !seen.contains("epoch 1"), seen.count < 1000 { seen += connection.receive() }
            try await eventually { plane.logStore.readersWaiting == 2 }
            connection.close()
            try await eventually { plane.logStore.readersWaiting == 0 }
        }
    }

    @Test("a graceful stop ends those who follow, at once")
    func gracefulStop() async throws {
        let start = ContinuousClock.now
        let kept = Mutex<[RawConnection]>([])
        try await Interface.run(.live) { interface async throws in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.attempt(1, 0, 1))
            let connection = try Self.connection(interface)
            connection.get("/v1/jobs/1/logs?follow", as: .user)
            #expect(connection.receive().hasPrefix("HTTP/1.1 200"))
            kept.withLock { $0.append(connection) }
        }
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(kept.withLock { $0[0].receiveAll() } == "0\r\n\r\n")
    }

    @Test("the server says where it listens; a second one there is told why it cannot")
    func addressInUse() async throws {
        let (addresses, continuation) = AsyncStream.makeStream(of: ControlServer.BoundAddress.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = ControlServer(
            controlPlane: FakeControlPlane(), configuration: .init(port: 0), logger: logger, onListening: { continuation.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { [logger] group in
            group.addTask { try? await server.run() }
            var iterator = addresses.makeAsyncIterator()
            let address = try #require(await iterator.next())
            #expect(address.host == "127.0.0.1" && address.port > 0)
            let second = ControlServer(controlPlane: FakeControlPlane(), configuration: .init(port: address.port), logger: logger)
            let error = await #expect(throws: ControlServerError.self) { try await second.run() }
            #expect(error?.code == .addressInUse)
            #expect(error?.message.contains("127.0.0.1:\(address.port)") == true)
            let nowhere = ControlServer(
                controlPlane: FakeControlPlane(), configuration: .init(host: "203.0.113.7", port: 0), logger: logger)
            let missing = await #expect(throws: ControlServerError.self) { try await nowhere.run() }
            #expect(missing?.code == .address)
            group.cancelAll()
        }
    }
}
