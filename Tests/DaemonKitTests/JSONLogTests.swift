import DaemonKit
import Foundation
import Logging
import Synchronization
import Testing

@Suite("The log as JSON")
struct JSONLogTests {
    /// What one line of a logger looks like to someone else's parser.
    private static func line(_ body: (inout Logger) -> Void) throws -> [String: Any] {
        let written = Written()
        var logger = Logger(label: "suanpan.test") { label in
            JSONLogHandler(
                label: label, logLevel: .info, write: { line in written.lines.withLock { $0.append(line) } },
                wallNanoseconds: { 1_769_848_200_250_001_999 })
        }
        body(&logger)
        let lines = written.lines.withLock { $0 }
        #expect(lines.count == 1 && lines.first?.last == UInt8(ascii: "\n"))
        let line = try #require(lines.first)
        #expect(!line.dropLast().contains(UInt8(ascii: "\n")), "one object a line")
        return try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
    }

    @Test("a line has time, level, label, message and metadata")
    func members() throws {
        let line = try Self.line { $0.warning("queue is full", metadata: ["node": "7"]) }
        #expect(line["time"] as? String == "2026-01-31T08:30:00.250001Z")
        #expect(line["level"] as? String == "warning" && line["label"] as? String == "suanpan.test")
        #expect(line["message"] as? String == "queue is full")
        #expect(line["metadata"] as? [String: String] == ["node": "7"])
    }

    @Test("what a client sends cannot begin a line of its own")
    func hostileText() throws {
        let text = "a\"b\\c\nd\u{0}e\u{1b}[31m\u{7f}é"
        let line = try Self.line { logger in
            logger[metadataKey: "a"] = "\(text)"
            logger.error("\(text)")
        }
        #expect(line["message"] as? String == text && (line["metadata"] as? [String: String])?["a"] == text)
    }

    @Test("lines below the level are not written")
    func level() throws {
        let line = try Self.line { logger in
            logger.debug("unseen")
            logger.info("seen")
        }
        #expect(line["message"] as? String == "seen" && line["metadata"] == nil)
    }

    @Test("format and level come from the settings, and others are refused with those there are")
    func settings() throws {
        func settings(_ flags: [String: String?]) throws -> LogSettings {
            let all: [String: String?] = ["log-format": nil, "log-level": nil]
            return try LogSettings(
                DaemonSettings(
                    flags: all.merging(flags) { $1 }, environment: ["X_LOG_LEVEL": "debug"], prefix: "X_", file: nil,
                    defaultFile: "/nonexistent"))
        }
        #expect(try settings(["log-format": "json"]).format == .json)
        #expect(try settings([:]).format == .text && settings([:]).level == .debug)
        #expect(throws: StartError.self) { try settings(["log-format": "xml"]) }
        let error = try #require(throws: StartError.self) { try settings(["log-level": "loud"]) }
        #expect("\(error)".contains("log-level: 'loud'") && "\(error)".contains("notice"))
    }

    private final class Written: Sendable {
        let lines = Mutex<[[UInt8]]>([])
    }
}
