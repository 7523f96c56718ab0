import Foundation
import FoundationNetworking
import Testing

/// What monitoring sees of real daemons, and what is written about it.
@Suite(.serialized) struct MetricsTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A family with its labels.
    private struct Family: Hashable, CustomStringConvertible {
        var name: String
        var type: String
        var unit: String
        var labels: Set<String>

        var description: String { "\(name) \(type) \(unit) \(labels.sorted())" }
    }

    private struct Page {
        var families: [String: Family] = [:]
        var samples: [(name: String, labels: [String: String], value: Double)] = []

        /// Reads what the standard allows here: every sample below its family's TYPE.
        init(_ text: String) throws {
            var current = ""
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                let words = line.split(separator: " ", maxSplits: 3).map(String.init)
                if line == "# EOF" { break }
                switch words[1] {
                case "TYPE" where words[0] == "#":
                    current = words[2]
                    families[current] = Family(name: current, type: words[3], unit: "", labels: [])
                case "UNIT" where words[0] == "#": families[current]?.unit = words[3]
                case "HELP" where words[0] == "#": break
                default: try sample(String(line), of: current)
                }
            }
        }

        private mutating func sample(_ line: String, of family: String) throws {
            let pattern = #/^([a-z_]+)(?:\{(.*)\})? (\S+)$/#
            let match = try #require(line.wholeMatch(of: pattern), "\(line)")
            var labels: [String: String] = [:]
            for pair in (match.2 ?? "").matches(of: #/([a-z]+)="((?:[^"\\]|\\.)*)"/#) { labels[String(pair.1)] = String(pair.2) }
            let suffixes = ["counter": ["_total"], "info": ["_info"], "histogram": ["_bucket", "_count", "_sum"]]
            let allowed = (suffixes[families[family]?.type ?? ""] ?? [""]).map { family + $0 }
            #expect(allowed.contains(String(match.1)), "\(line) below \(family)")
            families[family]?.labels.formUnion(labels.keys.filter { $0 != "le" })
            samples.append((String(match.1), labels, Double(match.3) ?? .nan))
        }

        func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
            samples.first { sample in sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value } }?.value
        }
    }

    private static func documented() throws -> [Family] {
        let text = try String(contentsOf: root.appending(path: "Protocols/metrics.md"), encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let labels = cells[3].split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
            return Family(
                name: cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "`")), type: cells[1], unit: cells[2], labels: Set(labels))
        }
    }

    private static func scrape(_ cluster: Cluster) async throws -> String {
        let client = try String(contentsOfFile: "\(cluster.directory)/client.yaml", encoding: .utf8)
        let key = try #require(client.firstMatch(of: #/key: (\S+)/#)?.1)
        var request = URLRequest(url: try #require(URL(string: cluster.url + "/metrics")))
        request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        #expect((response as? HTTPURLResponse)?.statusCode == 200)
        return String(decoding: data, as: UTF8.self)
    }

    @Test func theDocumentListsWhatACoordinatorShows() async throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        #expect(cluster.suanpan("run", "--name", "secret-name", "--", "true").code == 0)
        #expect(cluster.suanpan("run", "--", "false").code == 1)
        let job = try cluster.submit("--begin", "+1h", "--", "true")
        #expect(cluster.suanpan("show", job).code == 0)
        // Its second heartbeat brings the first measurement.
        var text = ""
        for _ in 0..<200 {
            text = try await Self.scrape(cluster)
            if text.contains("suanpan_node_cpu_used_cores{") { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        let page = try Page(text)
        #expect(text.hasSuffix("\n# EOF\n") && !text.contains("secret-name"))
        let documented = try Self.documented()
        #expect(Set(documented.map(\.name)) == Set(page.families.keys))
        for family in documented {
            let shown = try #require(page.families[family.name])
            #expect((shown.type, shown.unit) == (family.type, family.unit), "\(family.name)")
            // This machine may have no device; everything else has a sample.
            let hasSample = page.samples.contains { $0.name.hasPrefix(family.name) }
            if hasSample { #expect(shown.labels == family.labels, "\(family)") }
            let mayBeEmpty = ["suanpan_devices", "suanpan_devices_allocated", "suanpan_snapshot_timestamp_seconds"]
            #expect(hasSample || mayBeEmpty.contains(family.name), "\(family.name)")
        }
        #expect(page.value("suanpan_jobs_submitted_total") == 3)
        #expect(page.value("suanpan_attempts_ended_total", ["state": "failed", "reason": "exit_code"]) == 1)
        #expect(page.value("suanpan_queue_tasks", ["reason": "begin_time"]) == 1)
        #expect(page.value("suanpan_task_start_wait_seconds_count") == 2)
        #expect(page.value("suanpan_nodes", ["state": "ready"]) == 1)
        #expect(page.value("suanpan_cpu_cores", ["simulated": "false"]) == 4)
        #expect(try #require(page.value("suanpan_node_memory_used_bytes", ["node": "n1"])) > 0)
        #expect(try #require(page.value("suanpan_loop_cpu_seconds_total")) > 0)
    }

    /// Names in rules and dashboard are ones that the document knows.
    @Test func alertsAndDashboardUseDocumentedMetrics() throws {
        var known: Set<String> = ["up"]
        for family in try Self.documented() {
            switch family.type {
            case "counter": known.insert(family.name + "_total")
            case "info": known.insert(family.name + "_info")
            case "histogram": known.formUnion(["_bucket", "_count", "_sum"].map { family.name + $0 })
            default: known.insert(family.name)
            }
        }
        let handbook = try Self.text("Deploy/handbook/alerts.md")
        let alerts = try Self.text("Deploy/monitoring/alerts.yml")
        for alert in alerts.matches(of: #/- alert: (\w+)/#) {
            #expect(handbook.contains("\n## \(alert.1)\n"), "\(alert.1)")
            #expect(alerts.contains("runbook: Deploy/handbook/alerts.md#\(alert.1.lowercased())\n"))
        }
        let dashboard = try #require(
            try JSONSerialization.jsonObject(with: Data(Self.text("Deploy/monitoring/dashboard.json").utf8)) as? [String: Any])
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        let queries = panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }.compactMap { $0["expr"] as? String }
        #expect(panels.count > 10 && queries.count >= panels.count { $0["type"] as? String != "row" })
        for text in queries + [alerts] {
            for name in text.matches(of: #/\b(?:suanpan|process)_[a-z_]+/#).map({ String($0.0) }) {
                #expect(known.contains(name), "\(name)")
            }
        }
    }

    private static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }
}
