// Flags > environment (`SUANPAN_…`) > file > defaults; an unknown key of the file is an error.

import ClusterModel
import DaemonKit
import Foundation
import SchedulingCore
import Yams

/// What an administrator may set, each value optional: nil means "say nothing here".
struct CoordinatorSettings: Sendable {
    var dataDirectory: String?
    var http: String?
    var agentsEndpoint: String?
    var enrollEndpoint: String?
    var logEndpoint: String?
    var lease: String?
    var heartbeatInterval: String?

    /// Key in the file, and `SUANPAN_` + the same in capitals with underscores in the environment.
    private static let keys: [(name: String, path: any WritableKeyPath<CoordinatorSettings, String?> & Sendable)] = [
        ("data-dir", \.dataDirectory), ("http", \.http), ("agents-endpoint", \.agentsEndpoint), ("enroll-endpoint", \.enrollEndpoint),
        ("log-endpoint", \.logEndpoint), ("lease", \.lease), ("heartbeat-interval", \.heartbeatInterval),
    ]

    init() {}

    init(environment: [String: String]) {
        for (name, path) in Self.keys {
            self[keyPath: path] = environment["SUANPAN_" + name.uppercased().replacing("-", with: "_")]
        }
    }

    init(file: String) throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw StartError("the configuration \(file) cannot be read")
        }
        guard let node = try Yams.compose(yaml: text) else { return }
        guard let mapping = node.mapping else { throw StartError("\(file): expected `key: value` lines") }
        for (key, value) in mapping {
            guard let name = key.string, let path = Self.keys.first(where: { $0.name == name })?.path else {
                let valid = Self.keys.map(\.name).joined(separator: ", ")
                throw StartError("\(file): unknown key '\(key.string ?? "")'; valid: \(valid)")
            }
            guard let text = value.string else { throw StartError("\(file): \(name): expected a text") }
            self[keyPath: path] = text
        }
    }

    /// This where it says something, `other` elsewhere.
    func over(_ other: CoordinatorSettings) -> CoordinatorSettings {
        var result = other
        for (_, path) in Self.keys { if let value = self[keyPath: path] { result[keyPath: path] = value } }
        return result
    }

    // MARK: Values

    static var defaultDataDirectory: String {
        if getuid() == 0 { return "/var/lib/suanpan" }
        let home = ProcessInfo.processInfo.environment["HOME"] ?? "/"
        return home + "/.local/share/suanpan"
    }

    func listen() throws -> (host: String, port: Int) {
        let text = http ?? "127.0.0.1:8470"
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), colon > text.startIndex else {
            throw StartError("http: '\(text)'; expected HOST:PORT such as 127.0.0.1:8470")
        }
        let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return (host, Int(port))
    }

    func heartbeats() throws -> HeartbeatPolicy {
        var policy = HeartbeatPolicy()
        do {
            if let heartbeatInterval {
                policy.intervalMin = try Quantity.span(heartbeatInterval)
                policy.intervalMax = max(policy.intervalMax, policy.intervalMin)
            }
            if let lease {
                policy.lease = try Quantity.span(lease)
                policy.slack = min(policy.slack, Span(nanoseconds: policy.lease.nanoseconds / 2))
            }
        } catch { throw StartError("lease or heartbeat-interval: '\(error.text)'; expected \(error.expected)") }
        guard policy.intervalMin >= .seconds(1), policy.lease >= .seconds(2) else {
            throw StartError("heartbeat-interval must be at least 1s and lease at least 2s")
        }
        return policy
    }
}
