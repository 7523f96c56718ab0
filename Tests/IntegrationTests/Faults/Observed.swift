// What a cluster has done, seen from outside: through REST, the usage rows, and what the tasks themselves wrote down.

import Foundation
import Testing

/// The work of fault tests: tasks that write a line when they begin, every 50 ms, and when they have ended, each with the kernel's
/// time since boot. Two attempts of one task at once, or a task that never ran, show in their file.
struct Witness {
    let directory: String

    init(_ cluster: Cluster) throws {
        directory = "\(cluster.directory)/witness"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        chmod(directory, 0o777)
    }

    /// What to run: about `ticks` times 50 ms.
    func command(ticks: Int) -> [String] {
        let script = """
            f=\(directory)/$SUANPAN_JOB_ID.${SUANPAN_ARRAY_INDEX:-0}
            say() { read -r now rest </proc/uptime; echo "$SUANPAN_ATTEMPT $now $1" >>"$f"; }
            say begin; i=0; while [ $i -lt \(ticks) ]; do sleep 0.05; say tick; i=$((i + 1)); done; say end
            """
        return ["sh", "-c", script]
    }

    struct Line {
        var attempt: String
        var seconds: Double
        var word: String
    }

    /// By task, in the order in which they were written.
    func lines() -> [String: [Line]] {
        var found: [String: [Line]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
            let text = (try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)) ?? ""
            found[name] = text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard words.count == 3, let seconds = Double(words[1]) else { return nil }
                return Line(attempt: String(words[0]), seconds: seconds, word: String(words[2]))
            }
        }
        return found
    }
}

/// A usage row, as billing reads it.
struct UsageRow {
    var attempt: String
    var segment: Int
    var node: String
    var cpuMilli: Int
    var start: Date
    var end: Date
    var reason: String

    /// `<job>.<index>` of `<job>.<index>.<number>`.
    var task: String { attempt.split(separator: ".").dropLast().joined(separator: ".") }
}

extension Cluster {
    /// All rows of the ledger, a page after another.
    func usageRows() throws -> [UsageRow] {
        try list("usage", "ls", "--all").map { row in
            guard let attempt = row["attempt"] as? String, let segment = row["segment"] as? Int, let node = row["node"] as? String,
                let allocated = row["allocated"] as? [String: Any], let cpu = allocated["cpuMilli"] as? Int,
                let start = (row["start"] as? String).flatMap(Self.date), let end = (row["end"] as? String).flatMap(Self.date),
                let reason = row["endReason"] as? String
            else { throw ClusterError(message: "a usage row of another form: \(row)") }
            return UsageRow(attempt: attempt, segment: segment, node: node, cpuMilli: cpu, start: start, end: end, reason: reason)
        }
    }

    private static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601)) ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }

    /// The promises, checked from outside once everything is at rest: `jobs` are those whose submission was acknowledged.
    ///
    /// - Parameter cpuMilli: what each node has.
    func expectPromisesKept(jobs: [String], witness: Witness, cpuMilli: Int = 4000) throws {
        // S1, S2: every acknowledged job is there and has ended.
        var states: [String: String] = [:]
        for job in jobs { states[job] = (try json("show", job) as? [String: Any])?["state"] as? String }
        for job in jobs {
            #expect(["succeeded", "failed", "cancelled"].contains(states[job] ?? ""), "job \(job): \(states[job] ?? "not there")")
        }
        // S3b: at no instant two attempts of one task.
        for (task, lines) in witness.lines() {
            var last: [String: Double] = [:]
            var order: [String] = []
            for line in lines {
                if last[line.attempt] == nil { order.append(line.attempt) }
                last[line.attempt] = line.seconds
                #expect(order.last == line.attempt, "task \(task): attempt \(line.attempt) still ran when \(order.last ?? "") had begun")
            }
            // What succeeded has run whole. More than once where its end went unseen, with its launcher: that is billed once as completed.
            if states[String(task.split(separator: ".")[0])] == "succeeded" {
                #expect(lines.contains { $0.word == "end" }, "task \(task) succeeded and never ended")
            }
        }
        try expectUsageSound(of: Set(jobs), states: states, cpuMilli: cpuMilli)
    }

    private func expectUsageSound(of jobs: Set<String>, states: [String: String], cpuMilli: Int) throws {
        let rows = try usageRows()
        // S4: each segment once, none without its grant, and nothing of a task at the same time as anything else of it.
        #expect(Set(rows.map { "\($0.attempt)/\($0.segment)" }).count == rows.count, "a segment was billed twice")
        for (task, rows) in Dictionary(grouping: rows, by: \.task) {
            let ordered = rows.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
            for (one, next) in zip(ordered, ordered.dropFirst()) {
                #expect(one.end <= next.start, "task \(task): \(one.attempt) and \(next.attempt) are billed for the same time")
            }
            #expect(rows.count { $0.reason == "completed" } <= 1, "task \(task) completed twice")
        }
        for (job, state) in states where state == "succeeded" {
            #expect(rows.contains { $0.task.hasPrefix("\(job).") && $0.reason == "completed" }, "job \(job) succeeded and is not billed")
        }
        // S5: at no instant more than a node has.
        for (node, rows) in Dictionary(grouping: rows, by: \.node) {
            var used = 0
            let changes = rows.flatMap { [($0.start, $0.cpuMilli), ($0.end, -$0.cpuMilli)] }
            for (instant, change) in changes.sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) }) {
                used += change
                #expect(used <= cpuMilli, "node \(node) was billed for \(used) thousandths of a core at \(instant)")
            }
        }
    }
}
