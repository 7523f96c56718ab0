import ClusterModel
import FoundationEssentials
import Testing

@testable import ControlAPI

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    @Test(
        "values",
        arguments: [
            ("null", JSONValue.null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .number("0")),
            ("-0.10e+5", .number("-0.10e+5")),
            (#""""#, .string("")), (#""a\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00""#, .string("a\"\\/\u{8}\u{c}\n\r\tAé😀")),
            ("[]", .array([])), ("[1, [2]]", .array([.number("1"), .array([.number("2")])])), ("{}", .object([])),
            (
                #"{"b": 1, "a": {"": null}}"#,
                .object([
                    JSONMember(name: "b", value: .number("1")),
                    JSONMember(name: "a", value: .object([JSONMember(name: "", value: .null)])),
                ])
            ),
        ])
    func values(_ text: String, _ expected: JSONValue) throws { #expect(try parse(text) == expected) }

    @Test(
        "what is not JSON",
        arguments: [
            "", " ", "nul", "tru", "TRUE", "01", "1.", ".5", "-", "+1", "1e", "0x1", "NaN", "Infinity", "'a'", "\"a", "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud800\\u0041\"", "\"\u{1}\"", "\"a\nb\"",
            "[", "[1,]", "[1 2]", "{", "{\"a\"}", "{\"a\":}",
            "{\"a\":1,}", "{a:1}", "{\"a\":1 \"b\":2}", "1 2", "{}{}", "// x\n1", "\u{feff}1", "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
        ])
    func malformed(_ text: String) { #expect(throws: JSONSyntaxError.self) { try parse(text) } }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        for text: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x5C, 0x6E, 0xFE]] {
            let bytes = [0x22] + text + [0x22]
            #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(bytes) }
        }
    }

    @Test("depth and members are bounded")
    func bounds() throws {
        let deepest = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        _ = try parse(deepest)
        #expect(throws: JSONSyntaxError.self) { try parse("[\(deepest)]") }
        #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
        func object(_ count: Int) -> String { "{" + (0..<count).map { "\"m\($0)\":0" }.joined(separator: ",") + "}" }
        _ = try parse(object(4096))
        #expect(throws: JSONSyntaxError.self) { try parse(object(4097)) }
        #expect(throws: JSONSyntaxError.self) { try parse("{" + object(50).dropFirst().dropLast() + ",\"m3\":1}") }
    }

    @Test("an error says where")
    func place() {
        let document = Array("{\n  \"a\": 1,\n  \"b\": x\n}".utf8)
        let error = #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(document) }
        #expect(error?.description(in: document) == "line 3, column 8: expected a value")
    }

    @Test("what is written is read as it was, by another parser")
    func writer() throws {
        let odd = "q\"b\\s/\n\r\t\u{1}\u{1f}\u{7f}é😀"
        let bytes = JSONWriter.object { writer in
            writer.member("text", odd)
            writer.member("none", String?.none)
            writer.member("number", Int64.min)
            writer.member("flag", true)
            writer.member("list", strings: ["a", odd])
            writer.member("map", map: [(odd, "x"), ("", "")])
            writer.member("inner") { $0.member("a", 1) }
            writer.member("items", items: [1, 2]) { writer, item in writer.object { $0.member("i", item) } }
            writer.member("empty") { _ in }
        }
        let document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        #expect(document["text"]?.text == odd)
        #expect(document["none"] == .null)
        #expect(document["number"] == .number(Double(Int64.min)))
        #expect(document["list"]?[1]?.text == odd)
        #expect(document["map"]?[odd]?.text == "x" && document["map"]?[""]?.text == "")
        #expect(document["items"]?[1]?["i"] == .number(2))
        #expect(document["empty"] == .object([:]))
    }

    // MARK: - Times

    @Test(
        "times",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (4_102_444_799, "2099-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (1_769_848_200, "2026-01-31T08:30:00Z"),
        ])
    func times(_ seconds: Int64, _ text: String) {
        let time = LogicalTime(nanoseconds: seconds * 1_000_000_000)
        #expect(Timestamp.text(time) == text)
        #expect(Timestamp.parse(text) == time)
    }

    @Test("every day of five centuries is its own text and comes back")
    func everyDay() {
        let second: Int64 = 1_000_000_000
        for day in stride(from: Int64(-70_000), to: 100_000, by: 1) {
            let time = LogicalTime(nanoseconds: (day * 86_400 + 86_399) * second)
            #expect(Timestamp.parse(Timestamp.text(time)) == time)
        }
    }

    @Test("fractions and zones")
    func zones() {
        #expect(Timestamp.text(Fixture.now) == "2026-01-31T08:30:00.25Z")
        for text in ["2026-01-31T08:30:00.25Z", "2026-01-31t09:30:00.250+01:00", "2026-01-31 00:00:00.2500000001-08:30"] {
            #expect(Timestamp.parse(text) == Fixture.now, "\(text)")
        }
        for text in [
            "", "2026-01-31", "2026-01-31T08:30:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-31T24:00:00Z",
            "2026-01-31T08:30Z", "2026-01-31T08:30:00.Z", "2026-01-31T08:30:00+1:00", "2026-01-31T08:30:00Zx", "9999-01-01T00:00:00Z",
        ] {
            #expect(Timestamp.parse(text) == nil, "\(text)")
        }
    }
}
