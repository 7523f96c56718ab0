import Testing

@testable import ControlCommands

@Suite("What people read")
struct OutputTests {
    @Test(
        "sizes",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1 << 30, "1 GiB"), ((1 << 30) - 1, "1023 MiB"),
            (5 << 40, "5 TiB"), (Int64.max, "7.9 EiB"),
        ] as [(Int64, String)])
    func sizes(count: Int64, text: String) { #expect(Humanized.bytes(count) == text) }

    @Test(
        "durations show their two largest units",
        arguments: [(-3, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (130, "2m10s"), (3600, "1h"), (3661, "1h1m"), (100_800, "1d4h")]
            as [(Int64, String)])
    func durations(seconds: Int64, text: String) { #expect(Humanized.duration(seconds: seconds) == text) }

    @Test(
        "short durations show their parts",
        arguments: [(-1, "0ms"), (7, "7ms"), (1000, "1.0s"), (9_990, "9.9s"), (10_000, "10s"), (61_000, "1m1s")] as [(Int64, String)])
    func milliseconds(milliseconds: Int64, text: String) { #expect(Humanized.duration(milliseconds: milliseconds) == text) }

    @Test("cores", arguments: [(1000, "1"), (500, "0.5"), (125, "0.125"), (2250, "2.25"), (0, "0")] as [(Int64, String)])
    func cores(milli: Int64, text: String) { #expect(Humanized.cores(milli: milli) == text) }

    @Test("hours of usage", arguments: [(3_600_000, 1000, "1.00"), (90_000, 1000, "0.02"), (0, 1000, "0.00")] as [(Int64, Int64, String)])
    func hours(amount: Int64, unit: Int64, text: String) { #expect(UsageTable.hours(amount, unit: unit) == text) }

    @Test(
        "RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600), ("2026-01-31T08:00:00.123456789Z", 1_769_846_400),
            ("2026-01-31T08:00:00+08:00", 1_769_817_600), ("2026-01-31", nil), ("2026-13-01T00:00:00Z", nil),
            ("2026-01-31T08:00:00Zx", nil),
        ] as [(String, Int64?)])
    func timestamps(text: String, seconds: Int64?) {
        #expect(Timestamp(rfc3339: text)?.seconds == seconds)
        if let seconds, text.hasSuffix("00Z") { #expect(Timestamp(seconds: seconds).rfc3339 == text) }
    }

    private static let jobs: [JSONValue] = [
        [
            "id": "12", "name": "digits", "state": "queued", "reason": "capacity", "submittedAt": "2026-01-01T00:00:00Z", "user": "ada",
            "tasks": ["total": 1, "queued": 1],
        ],
        [
            "id": "3", "name": "sweep", "state": "running", "reason": .null, "submittedAt": "2025-12-31T00:00:00Z", "user": "bob",
            "tasks": ["total": 10, "queued": 2, "running": 4, "succeeded": 3, "failed": 1],
        ],
    ]

    @Test("the table of jobs")
    func jobTable() {
        let now = Timestamp(rfc3339: "2026-01-01T00:05:00Z")!
        let table = JobsCommand.table(of: Self.jobs, now: now)
        let expected = """
            ID  NAME    STATE    REASON              TASKS  AGE
            12  digits  queued   capacity                1   5m
             3  sweep   running            4/10 (4 running)  1d

            """
        let lines = { (text: String) in text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") } }
        #expect(lines(table.text(isWide: false, hasColour: false)) == lines(expected))
        #expect(table.text(isWide: true, hasColour: false).contains("USER"))
        #expect(table.text(isWide: false, hasColour: true).contains("\u{1B}[32mrunning\u{1B}[0m"))
    }

    @Test("columns keep their width whatever the colour, and nothing steers the terminal")
    func tableLayout() {
        var table = Table([.init("A"), .init("N", isRightAligned: true), .init("B")])
        table.append([.init("x", tint: .red), "1", "tail"])
        table.append(["long\u{1B}[2J", "100", ""])
        #expect(table.text(isWide: false, hasColour: false) == "A           N  B\nx           1  tail\nlong\u{FFFD}[2J  100  \n")
        #expect(table.text(isWide: false, hasColour: true).hasPrefix("A           N  B\n\u{1B}[31mx\u{1B}[0m           1"))
    }

    @Test("JSON keeps order and the spelling of numbers")
    func jsonRoundTrip() throws {
        let text = #"{"b":1.50,"a":[9007199254740993,-0,1e3,true,null,"é\n\u0007😀"],"c":{}}"#
        #expect(try JSONValue(parsing: text.utf8).compactText == text)
        let pretty = "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}"
        #expect(try JSONValue(parsing: pretty.utf8).prettyText == pretty)
    }

    @Test("what is not JSON", arguments: ["", "{", "[1,]", "01", "nul", "\"\u{1}\"", "{\"a\" 1}", "1 2", "\"\\x\""])
    func notJSON(text: String) { #expect(throws: JSONError.self) { try JSONValue(parsing: text.utf8) } }

    @Test("YAML quotes what another reader would take for something else")
    func yaml() throws {
        let value: JSONValue = ["a": "no", "b": "x1", "c": ["1", .null, ["d": 2, "e": []]], "f": "two words"]
        #expect(value.yamlText == "a: \"no\"\nb: x1\nc:\n  - \"1\"\n  - null\n  - d: 2\n    e: []\nf: \"two words\"\n")
        #expect(try JSONValue(yaml: value.yamlText) == value)
    }

    @Test("a listing in each format")
    func formats() {
        let listing = Listing(page: ["items": .array(Self.jobs), "nextCursor": .null]) {
            JobsCommand.table(of: $0, now: Timestamp(seconds: 0))
        }
        #expect(listing.text(as: .id, hasColour: false) == "12\n3\n")
        #expect(listing.text(as: .jsonl, hasColour: false).split(separator: "\n").count == 2)
        #expect(listing.text(as: .json, hasColour: false).hasPrefix("{\n  \"items\": ["))
    }
}
