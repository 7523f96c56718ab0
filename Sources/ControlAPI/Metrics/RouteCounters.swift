import HTTPTypes
import NIOCore
import Telemetry

/// Requests of one route, by the class of their status, and how long they took until their answer began.
final class RouteCounters: Sendable {
    static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"]

    let statuses = Counter.array(count: RouteCounters.classes.count)
    let duration = Histogram.seconds([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10])

    func count(_ status: HTTPResponse.Status, since began: NIODeadline) {
        statuses[min(max(status.code / 100, 1), Self.classes.count) - 1].add()
        duration.observe((NIODeadline.now() - began).nanoseconds)
    }
}

/// One line of the table of routes, as metrics name it.
struct CountedRoute: Sendable {
    var method: String
    /// As in OpenAPI; `none` stands for whatever leads nowhere or is refused before it is looked at.
    var route: String
    var counters: RouteCounters

    init(method: String, route: String, counters: RouteCounters) {
        self.method = method
        self.route = route
        self.counters = counters
    }

    init(_ endpoint: Endpoint) { self.init(method: endpoint.method.rawValue, route: endpoint.path, counters: endpoint.counters) }

    static func unmatched(_ counters: RouteCounters) -> CountedRoute { CountedRoute(method: "any", route: "none", counters: counters) }
}
