import ClusterModel
import ClusterPorts
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SchedulingCore
import Telemetry
import Testing

@testable import ControlAPI

@Suite("GET /metrics")
struct MetricsTests {
    @Test("is OpenMetrics for whoever may see the cluster")
    func text() async throws {
        try await Interface.run { interface in
            let reply = try await interface.get("/metrics", as: .viewer)
            #expect(reply.status == .ok)
            #expect(reply.headers[.contentType] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(reply.text.hasSuffix("\n# EOF\n"))
            #expect(try await interface.get("/metrics", as: nil).status == .unauthorized)
        }
    }

    @Test("requests are counted by route and class of status, never by path")
    func requests() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            _ = try await interface.get("/v1/jobs/1")
            _ = try await interface.get("/v1/jobs/1")
            _ = try await interface.get("/v1/jobs/77")
            interface.plane.change { $0.failure = .overloaded(retryAfter: .seconds(1)) }
            _ = try await interface.post("/v1/jobs/1/cancel")
            _ = try await interface.get("/v1/nothing/secret-name")
            _ = try await interface.get("/livez", headers: [.origin: "http://evil.example"])
            let text = try await interface.get("/metrics", as: .viewer).text
            let lines = Set(text.split(separator: "\n").map(String.init))
            for line in [
                #"suanpan_http_requests_total{method="GET",route="/v1/jobs/{id}",status="2xx"} 2"#,
                #"suanpan_http_requests_total{method="GET",route="/v1/jobs/{id}",status="4xx"} 1"#,
                #"suanpan_http_requests_total{method="POST",route="/v1/jobs/{id}/cancel",status="5xx"} 1"#,
                #"suanpan_http_requests_total{method="any",route="none",status="4xx"} 2"#,
                #"suanpan_http_request_duration_seconds_count{method="GET",route="/v1/jobs/{id}"} 3"#,
            ] { #expect(lines.contains(line), "\(line)") }
            #expect(!text.contains("secret-name") && !text.contains("\"/v1/jobs/1\""))
        }
    }

    @Test("a text serves everybody for a second")
    func freshness() async {
        let (made, clock) = (Counter(), Counter())
        let page = MetricsPage(
            routes: [], source: MetricsSource { _ in made.add() }, logs: LogService(readersPerKeyMax: 1, stop: StopSignal()),
            now: { .uptimeNanoseconds(clock.total) })
        for _ in 0..<3 { _ = await page.text() }
        clock.add(999_999_999)
        _ = await page.text()
        #expect(made.total == 1)
        clock.add(1)
        _ = await page.text()
        #expect(made.total == 2)
    }

    @Test("a trace's parent is believed only in its own form")
    func traceParent() {
        let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        #expect(RequestNames.isTraceParent(valid))
        #expect(RequestNames.isTraceParent("cc" + valid.dropFirst(2) + "-later"))
        let invalid = [
            "", "00", valid.uppercased(), valid + "-more", "ff" + valid.dropFirst(2), String(valid.dropLast()),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "cc" + valid.dropFirst(2) + "-a\nb", "zz" + valid.dropFirst(2),
        ]
        for text in invalid { #expect(!RequestNames.isTraceParent(text), "\(text)") }
    }
}
