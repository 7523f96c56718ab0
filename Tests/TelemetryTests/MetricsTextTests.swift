import Telemetry
import Testing

@Suite("OpenMetrics text")
struct MetricsTextTests {
    private static func text(_ body: (inout MetricsText) -> Void) -> String {
        var text = MetricsText()
        body(&text)
        return String(decoding: text.finish(), as: UTF8.self)
    }

    @Test("a counter has its unit, its suffix and the end of the text")
    func counter() {
        let counter = Counter()
        counter.add()
        counter.add(2)
        let family = MetricFamily(.counter, "x_busy_seconds", unit: .seconds, help: "Busy.")
        let expected =
            "# TYPE x_busy_seconds counter\n# UNIT x_busy_seconds seconds\n# HELP x_busy_seconds Busy.\nx_busy_seconds_total 3\n# EOF\n"
        #expect(Self.text { $0.family(family, counter) } == expected)
    }

    @Test("buckets of a histogram add up, and a bound belongs to its bucket")
    func histogram() {
        let histogram = Histogram.seconds([0.5, 1])
        histogram.observe(500_000_000)
        histogram.observe(500_000_001)
        histogram.observe(3_000_000_000, count: 2)
        let lines = Self.text { $0.family(MetricFamily(.histogram, "x_seconds", unit: .seconds, help: "."), histogram) }
            .split(separator: "\n").dropFirst(3).map(String.init)
        #expect(
            lines == [
                #"x_seconds_bucket{le="0.5"} 1"#, #"x_seconds_bucket{le="1.0"} 2"#, #"x_seconds_bucket{le="+Inf"} 4"#, "x_seconds_count 4",
                "x_seconds_sum 7.000000001", "# EOF",
            ])
    }

    @Test("less than nothing counts as nothing: a sum never falls")
    func negative() {
        let histogram = Histogram(bounds: [0, 10])
        histogram.observe(-5)
        let lines = Self.text { $0.family(MetricFamily(.histogram, "x", help: "."), histogram) }.split(separator: "\n")
        #expect(lines.contains(#"x_bucket{le="0.0"} 1"#) && lines.contains("x_sum 0.0"))
    }

    @Test("a label keeps to its line whatever an agent calls its device")
    func escaping() {
        let text = Self.text { text in
            text.family(MetricFamily(.gauge, "x", help: "A \"b\"\nc")) { $0.add(1, ("model", "a\"}\n\\b")) }
        }
        #expect(text == "# TYPE x gauge\n# HELP x A \\\"b\\\"\\nc\nx{model=\"a\\\"}\\n\\\\b\"} 1\n# EOF\n")
    }

    @Test("a family without samples is named, and numbers that are none are spelled as the standard says")
    func specialNumbers() {
        let family = MetricFamily(.gauge, "x", help: ".")
        #expect(Self.text { $0.family(family) { _ in } } == "# TYPE x gauge\n# HELP x .\n# EOF\n")
        #expect(Self.text { $0.family(family) { $0.add(Double.nan) } }.contains("\nx NaN\n"))
        #expect(Self.text { $0.family(family) { $0.add(-Double.infinity) } }.contains("\nx -Inf\n"))
        #expect(Self.text { $0.family(MetricFamily(.info, "x", help: ".")) { $0.add(1, ("v", "2")) } }.contains("\nx_info{v=\"2\"} 1\n"))
    }
}
