import ClusterModel
import ClusterPorts
import HTTPTypes
import HummingbirdTesting
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("Reading output", .timeLimit(.minutes(1)))
struct LogTests {
    private static let first = AttemptID(job: JobID(1), index: 0, number: 1)

    private static func ended(_ exitCode: Int32 = 0, stdout: Int64 = 0, stderr: Int64 = 0, dropped: Int64 = 0) -> AttemptEnd {
        AttemptEnd(cause: .exited, exitCode: exitCode, stdoutBytes: stdout, stderrBytes: stderr, droppedBytes: dropped)
    }

    // MARK: - What there is

    @Test("one task's output comes as it is, of both streams or of one")
    func single() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.attempt(1, 0, 1))
            interface.plane.logStore.write(Self.first, .stdout, "a\nb")
            interface.plane.logStore.write(Self.first, .stderr, "oops\n")
            let reply = try await interface.get("/v1/jobs/1/logs")
            #expect(reply.status == .ok && reply.headers[.contentType] == "text/plain; charset=utf-8")
            #expect(reply.text == "a\nboops\n")
            #expect(try await interface.get("/v1/jobs/1/logs?stream=stderr").text == "oops\n")
            #expect(try await interface.get("/v1/jobs/1/logs?task=0&stream=stdout").text == "a\nb")
            for bad in ["stream=both", "task=x", "tail=-1", "tail=10001", "attempt=0", "follow=maybe", "since=1h"] {
                #expect(try await interface.get("/v1/jobs/1/logs?\(bad)").status == .badRequest, "\(bad)")
            }
            #expect(try await interface.get("/v1/jobs/1/logs?task=1").status == .notFound)
            #expect(try await interface.get("/v1/jobs/1/logs?attempt=2").status == .notFound)
        }
    }

    @Test("lines of several tasks say whose they are, whole")
    func prefixed() async throws {
        try await Interface.run { interface async throws in
            interface.plane.add(Fixture.specification(count: 4))
            interface.plane.add(Fixture.attempt(1, 0, 1), Fixture.attempt(1, 1, 1), Fixture.attempt(1, 3, 1))
            let long = String(repeating: "z", count: LogDump.prefixedChunkBytes - 4)
            interface.plane.logStore.write(Self.first, .stdout, "one\n\n\(long)\ntail")
            interface.plane.logStore.write(AttemptID(job: JobID(1), index: 3, number: 1), .stdout, "three\n")
            #expect(try await interface.get("/v1/jobs/1/logs").text == "0| one\n0| \n0| \(long)\n0| tail\n3| three\n")
            #expect(try await interface.get("/v1/jobs/1/logs?task=1.3").text == "three\n")
            #expect(try await interface.get("/v1/jobs/1/logs?attempt=1").status == .badRequest)
        }
    }

    @Test("the last attempt, unless another is named")
    func attempt() async throws {
        try await Interface.run { interface async throws in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.attempt(1, 0, 1, .failed, .exitCode, end: Self.ended(1, stdout: 4)), Fixture.attempt(1, 0, 2))
            interface.plane.logStore.write(Self.first, .stdout, "old\n")
            interface.plane.logStore.complete(Self.first)
            interface.plane.logStore.write(AttemptID(job: JobID(1), index: 0, number: 2), .stdout, "new\n")
            #expect(try await interface.get("/v1/jobs/1/logs").text == "new\n")
            #expect(try await interface.get("/v1/jobs/1/logs?attempt=1").text == "old\n")
            #expect(try await interface.get("/v1/jobs/1/logs?attempt=1&follow").text == "old\n")
        }
    }

    @Test("a line says how many bytes are missing")
    func dropped() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification(), state: .failed)
            interface.plane.logStore.write(Self.first, .stdout, "abc")
            interface.plane.logStore.complete(Self.first)
            for follow in ["", "?follow=1"] {
                interface.plane.add(Fixture.attempt(1, 0, 1, .failed, .nodeLost, end: Self.ended(1, stdout: 10, dropped: 500)))
                let text = try await interface.get("/v1/jobs/1/logs\(follow)").text
                #expect(text == "abc\n[suanpan: 500 bytes of output were dropped]\n")
                interface.plane.add(Fixture.attempt(1, 0, 1, .failed, .nodeLost, end: Self.ended(1, stdout: 10)))
                #expect(try await interface.get("/v1/jobs/1/logs\(follow)").text == "abc\n[suanpan: 7 bytes of output were dropped]\n")
            }
        }
    }

    @Test(
        "the last lines, found without reading the whole",
        arguments: [
            (0, ""), (1, "line 99999"), (2, "line 99998\nline 99999"), (3, "line 99997\nline 99998\nline 99999"),
        ])
    func tail(_ count: Int, _ expected: String) async throws {
        try await Interface.run { interface async throws in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.attempt(1, 0, 1))
            let text = (0..<100_000).map { "line \($0)" }.joined(separator: "\n")
            interface.plane.logStore.write(Self.first, .stdout, text)
            #expect(try await interface.get("/v1/jobs/1/logs?tail=\(count)&stream=stdout").text == expected)
            #expect(interface.plane.logStore.bytesRead < 200_000)
        }
    }

    @Test("a tail longer than the text is the text")
    func longTail() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.attempt(1, 0, 1))
            for text in ["", "a", "a\n", "a\nb\n\n"] {
                interface.plane.logStore.write(Self.first, .stdout, text)
            }
            #expect(try await interface.get("/v1/jobs/1/logs?tail=100&stream=stdout").text == "aa\na\nb\n\n")
            #expect(try await interface.get("/v1/jobs/1/logs?tail=3&stream=stdout").text == "a\nb\n\n")
            let many = (0..<30_000).map { "\($0)\n" }.joined()
            interface.plane.logStore.write(Self.first, .stderr, many)
            let tail = try await interface.get("/v1/jobs/1/logs?tail=10000&stream=stderr").text
            #expect(tail == (20_000..<30_000).map { "\($0)\n" }.joined())
        }
    }

    // MARK: - What is yet to come

    @Test("following waits for the start, goes on over a retry and ends with the job")
    func follow() async throws {
        try await Interface.run { interface in
            let plane = interface.plane
            let id = plane.add(Fixture.specification())
            async let reply = interface.get("/v1/jobs/1/logs?follow=true")
            try await Task.sleep(for: .milliseconds(300))
            plane.add(Fixture.attempt(1, 0, 1))
            plane.logStore.write(Self.first, .stdout, "first\n")
            try await Task.sleep(for: .milliseconds(300))
            plane.logStore.write(Self.first, .stderr, "failing\n")
            plane.logStore.complete(Self.first)
            try await Task.sleep(for: .milliseconds(300))
            let second = AttemptID(job: id, index: 0, number: 2)
            plane.add(Fixture.attempt(1, 0, 1, .failed, .exitCode, end: Self.ended(1, stdout: 6, stderr: 8)), Fixture.attempt(1, 0, 2))
            plane.logStore.write(second, .stdout, "second\n")
            try await eventually { plane.logStore.bytesRead >= 21 }
            // The job has ended before the last of its output arrives.
            plane.add(Fixture.attempt(1, 0, 2, .succeeded, end: Self.ended(stdout: 12)))
            plane.end(id)
            try await Task.sleep(for: .milliseconds(300))
            plane.logStore.write(second, .stdout, "last\n")
            plane.logStore.complete(second)
            #expect(try await reply.text == "first\nfailing\nsecond\nlast\n")
            #expect(plane.logStore.readersWaiting == 0)
        }
    }

    @Test("more tasks than are followed at once all come, each in order")
    func manyTasks() async throws {
        try await Interface.run { interface in
            let plane = interface.plane
            let id = plane.add(Fixture.specification(array: ArrayRange(first: 0, last: 199)))
            async let reply = interface.get("/v1/jobs/1/logs?follow=true&stream=stdout")
            for index in UInt32(0)..<200 where index % 7 != 3 {
                let attempt = AttemptID(job: id, index: index, number: 1)
                plane.add(Fixture.attempt(1, index, 1, .succeeded, end: Self.ended(stdout: 8)))
                plane.logStore.write(attempt, .stdout, "x\nunended")
                plane.logStore.complete(attempt)
            }
            try await Task.sleep(for: .milliseconds(400))
            plane.end(id, .cancelled, .user)
            let lines = try await reply.text.split(separator: "\n")
            let expected = (0..<200).filter { $0 % 7 != 3 }
            #expect(lines.filter { $0.hasSuffix("| x") }.count == expected.count)
            #expect(Set(lines) == Set(expected.flatMap { ["\($0)| x", "\($0)| unended"] }))
        }
    }

    @Test("a task of a gang that succeeded may run again")
    func gang() async throws {
        try await Interface.run { interface in
            let plane = interface.plane
            let id = plane.add(Fixture.specification(count: 2))
            for index in UInt32(0)..<2 {
                plane.add(Fixture.attempt(1, index, 1, index == 0 ? .succeeded : .failed, end: Self.ended()))
                plane.logStore.complete(AttemptID(job: id, index: index, number: 1))
            }
            async let reply = interface.get("/v1/jobs/1/logs?follow=true")
            try await Task.sleep(for: .milliseconds(300))
            for index in UInt32(0)..<2 {
                let attempt = AttemptID(job: id, index: index, number: 2)
                plane.logStore.write(attempt, .stdout, "again\n")
                plane.logStore.complete(attempt)
                plane.add(Fixture.attempt(1, index, 2, .succeeded, end: Self.ended(stdout: 6)))
            }
            plane.end(id)
            #expect(Set(try await reply.text.split(separator: "\n")) == ["0| again", "1| again"])
        }
    }

    @Test("following a job that ended without a start is over at once")
    func neverStarted() async throws {
        try await Interface.run { interface async throws in
            interface.plane.add(Fixture.specification(array: ArrayRange(first: 0, last: 999_999)), state: .cancelled)
            #expect(try await interface.get("/v1/jobs/1/logs?follow").text.isEmpty)
            #expect(try await interface.get("/v1/jobs/1/logs").text.isEmpty)
        }
    }
}
