import HTTPTypes
import Hummingbird
import NIOCore
public import Telemetry

/// What `GET /metrics` shows beside the requests that the interface itself counts.
public struct MetricsSource: Sendable {
    /// Writes families; may take milliseconds, and is never called on a thread that serves sockets.
    var write: @Sendable (inout MetricsText) -> Void
    var connectionCount: @Sendable () -> Int = { 0 }

    public init(write: @escaping @Sendable (inout MetricsText) -> Void = { _ in }) { self.write = write }
}

/// Answers `GET /metrics`. One text is made at a time and serves everybody for a second: however often and by however many
/// it is asked for, it costs no more than that.
actor MetricsPage {
    static let requests = MetricFamily(.counter, "suanpan_http_requests", help: "Requests answered, by route and class of status.")
    static let durations = MetricFamily(
        .histogram, "suanpan_http_request_duration_seconds", unit: .seconds,
        help: "From a request's head to the beginning of its answer; routes that were asked for.")
    static let connections = MetricFamily(.gauge, "suanpan_http_connections", help: "Open connections of the REST interface.")
    static let logReaders = MetricFamily(.gauge, "suanpan_log_readers", help: "Answers under way that read or follow logs.")

    private static let freshness = TimeAmount.seconds(1)

    private let routes: [CountedRoute]
    private let source: MetricsSource
    private let logs: LogService
    private let now: @Sendable () -> NIODeadline
    private var made: (text: ByteBuffer, at: NIODeadline)?

    init(
        routes: [CountedRoute], source: MetricsSource, logs: LogService, now: @escaping @Sendable () -> NIODeadline = { NIODeadline.now() }
    ) {
        self.routes = routes
        self.source = source
        self.logs = logs
        self.now = now
    }

    nonisolated func answer() async -> Response {
        let text = await withTaskExecutorPreference(globalConcurrentExecutor) { await self.text() }
        return Response(
            status: .ok, headers: [.contentType: MetricsText.contentType, .cacheControl: "no-store"], body: ResponseBody(byteBuffer: text))
    }

    func text() -> ByteBuffer {
        if let made, now() - made.at < Self.freshness { return made.text }
        var text = MetricsText()
        source.write(&text)
        write(to: &text)
        let buffer = ByteBuffer(bytes: text.finish())
        made = (buffer, now())
        return buffer
    }

    private func write(to text: inout MetricsText) {
        text.family(Self.requests) { samples in
            for route in routes {
                for (counter, name) in zip(route.counters.statuses, RouteCounters.classes) where counter.total > 0 {
                    samples.add(counter.total, ("method", route.method), ("route", route.route), ("status", name))
                }
            }
        }
        text.family(Self.durations) { samples in
            for route in routes where !route.counters.duration.isEmpty {
                samples.add(route.counters.duration, ("method", route.method), ("route", route.route))
            }
        }
        text.family(Self.connections, source.connectionCount())
        text.family(Self.logReaders, logs.readerCount)
    }
}
