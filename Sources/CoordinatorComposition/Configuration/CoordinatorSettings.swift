import ClusterModel
import DaemonKit
import Foundation
import SchedulingCore

/// What an administrator may set, each value optional: nil means "say nothing here".
struct CoordinatorSettings: Sendable {
    var dataDirectory: String?
    var http: String?
    var agentsEndpoint: String?
    var enrollEndpoint: String?
    var logEndpoint: String?
    var lease: String?
    var heartbeatInterval: String?
    var tls: String?
    var tlsCertificate: String?
    var tlsKey: String?
    var advertise: String?
    var packagesDirectory: String?
    var log: LogSettings
    var retainJobs: String?
    var retainLogs: String?
    var retainFiles: String?
    var diskReserve: String?

    init(_ settings: DaemonSettings) throws {
        log = try LogSettings(settings)
        dataDirectory = settings["data-dir"]
        http = settings["http"]
        agentsEndpoint = settings["agents-endpoint"]
        enrollEndpoint = settings["enroll-endpoint"]
        logEndpoint = settings["log-endpoint"]
        lease = settings["lease"]
        heartbeatInterval = settings["heartbeat-interval"]
        tls = settings["tls"]
        tlsCertificate = settings["tls-certificate"]
        tlsKey = settings["tls-key"]
        advertise = settings["advertise"]
        packagesDirectory = settings["packages-dir"]
        retainJobs = settings["retain-jobs"]
        retainLogs = settings["retain-logs"]
        retainFiles = settings["retain-files"]
        diskReserve = settings["disk-reserve"]
    }

    // MARK: Values

    static var defaultDataDirectory: String {
        if getuid() == 0 { return "/var/lib/suanpan" }
        let home = ProcessInfo.processInfo.environment["HOME"] ?? "/"
        return home + "/.local/share/suanpan"
    }

    /// Everything that can be judged without starting.
    func check() throws {
        _ = try listen()
        _ = try heartbeats()
        _ = try retention()
        _ = try diskReserveBytes()
    }

    /// nil: the engine's own.
    func diskReserveBytes() throws -> Int64? {
        do throws(QuantityError) { return try diskReserve.map { text throws(QuantityError) in try Quantity.bytes(text) } } catch {
            throw StartError("disk-reserve: '\(error.text)'; expected \(error.expected)")
        }
    }

    func listen() throws -> (host: String, port: Int) {
        let text = http ?? "127.0.0.1:8470"
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), colon > text.startIndex else {
            throw StartError("http: '\(text)'; expected HOST:PORT such as 127.0.0.1:8470")
        }
        let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return (host, Int(port))
    }

    func retention() throws -> RetentionPolicy {
        var policy = RetentionPolicy()
        if let retainJobs { policy.jobs = try Self.retention("retain-jobs", retainJobs) }
        if let retainLogs { policy.logs = try Self.retention("retain-logs", retainLogs) }
        if let retainFiles { policy.files = try Self.retention("retain-files", retainFiles) }
        return policy
    }

    /// A day at least: what has just ended is what people look at.
    private static func retention(_ name: String, _ text: String) throws -> Span? {
        if text == "forever" { return nil }
        guard let span = try? Quantity.span(text), span >= .seconds(86_400) else {
            throw StartError("\(name): '\(text)'; expected a duration of a day at least, such as 90d, or forever")
        }
        return span
    }

    func heartbeats() throws -> HeartbeatPolicy {
        var policy = HeartbeatPolicy()
        do {
            if let lease {
                policy.lease = try Quantity.span(lease)
                policy.slack = min(policy.slack, Span(nanoseconds: policy.lease.nanoseconds / 2))
                policy.intervalMin = min(policy.intervalMin, Span(nanoseconds: policy.lease.nanoseconds / 3))
            }
            if let heartbeatInterval { policy.intervalMin = try Quantity.span(heartbeatInterval) }
        } catch { throw StartError("lease or heartbeat-interval: '\(error.text)'; expected \(error.expected)") }
        guard policy.lease >= .seconds(2), policy.intervalMin >= .milliseconds(500) else {
            throw StartError("lease must be at least 2s and heartbeat-interval at least 0.5s")
        }
        guard policy.intervalMin.nanoseconds * 2 <= policy.lease.nanoseconds else {
            throw StartError("heartbeat-interval must be at most half of lease, so that a heartbeat may get lost")
        }
        return policy
    }
}
