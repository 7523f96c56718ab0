import ArgumentParser

struct PlanCommand: Verb {
    /// How the verb ends, part of the interface: 0 starts now.
    static let wouldWait: Int32 = 10
    static let neverRuns: Int32 = 11

    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Say what would become of a job if it were submitted now.",
        discussion: """
            Takes the options of `submit` and changes nothing: where it would start, or why it would wait and until when, what would be stopped
            for it, and what it would cost in compute-unit hours. Exits with 0 if it starts now, 10 if it would wait, 11 if it can never run.
            `submit --if-revision N` submits it only while the plan still holds.

            EXAMPLE: suanpan plan --gpus 8 --tasks 4 --time-limit 2h -- python3 train.py
            """)

    @OptionGroup var options: SubmitOptions
    @OptionGroup var connection: ConnectionOptions
    @Option(name: .customShort("o"), help: "table, wide, json, yaml, jsonl or id.")
    var format: OutputFormat = .table

    func perform(in context: CommandContext) async throws {
        let (body, client) = try await JobSubmission.body(options) { () throws(CommandFailure) in try context.client(connection) }
        guard case .object(var job) = body else { return }
        // What a job reads and writes has no say in where it runs, and nothing is uploaded for a question.
        job["inputs"] = nil
        let plan = try await client.send(.post, "/v1/plans", body: .object(job))
        context.console.write(Detail(object: plan, identifier: "verdict") { Self.text(of: $0, now: .now()) }.text(as: format))
        switch plan["verdict"]?.text {
        case "starts": return
        case "waits": throw ExitCode(Self.wouldWait)
        default: throw ExitCode(Self.neverRuns)
        }
    }

    static func text(of plan: JSONValue, now: Timestamp) -> String {
        let gangs = plan["gangs"]?.integer ?? 1
        var facts: [(name: String, value: String?)] = [("Nodes", nodes(of: plan))]
        if gangs > 1, plan["verdict"]?.text == "starts" {
            facts.append(("Elements", "\(plan["gangsStarting"]?.integer ?? 0) of \(gangs) start now"))
        }
        facts += ForesightText.facts(of: plan, now: now)
        for victim in plan["preempts"]?.items ?? [] {
            let ran = Humanized.duration(seconds: victim["ranForSeconds"]?.integer ?? 0)
            let name = victim["job"]?.text.map { "job \($0)" } ?? "a job of others"
            facts.append(("Stops", "\(name), which has run for \(ran) and goes on later"))
        }
        if plan["verdict"]?.text != "never" {
            facts.append(("Expected run", plan["expectedRunSeconds"]?.integer.map { Humanized.duration(seconds: $0) }))
            facts.append(("Compute units", computeUnits(of: plan)))
            facts.append(("State version", plan["revision"]?.scalarText))
        }
        return Printable.line(sentence(of: plan)) + "\n\n" + Facts.text(facts) + ForesightText.changes(of: plan)
    }

    private static func sentence(of plan: JSONValue) -> String {
        let why = plan["explanation"]?.text ?? ""
        return switch plan["verdict"]?.text {
        case "starts": "would start now"
        case "waits": "would wait: \(why)"
        default: "can never run: \(why)"
        }
    }

    /// `n1 (3 tasks), n2`; a few of them.
    private static func nodes(of plan: JSONValue) -> String? {
        var counts: [(name: String, tasks: Int)] = []
        for place in plan["placement"]?.items ?? [] {
            let name = place["node"]?.text ?? ""
            if let index = counts.firstIndex(where: { $0.name == name }) {
                counts[index].tasks += 1
            } else {
                counts.append((name, 1))
            }
        }
        guard !counts.isEmpty else { return nil }
        let shown = counts.prefix(6).map { $0.tasks > 1 ? "\($0.name) (\($0.tasks) tasks)" : $0.name }
        return shown.joined(separator: ", ") + (counts.count > 6 ? " and \(counts.count - 6) more" : "")
    }

    /// Of jobs that hold none, nothing.
    private static func computeUnits(of plan: JSONValue) -> String? {
        guard let each = plan["computeUnitsMilli"]?.integer, each > 0, let hours = plan["computeUnitMilliHours"]?.integer else {
            return nil
        }
        let most = plan["computeUnitMilliHoursMax"]?.integer.map { ", at most \(Humanized.milli($0))" } ?? ""
        let gangs = plan["gangs"]?.integer ?? 1
        let together = gangs > 1 ? " for each of \(gangs) elements" : ""
        return "\(Humanized.milli(each))\(together); \(Humanized.milli(hours)) CU-hours expected\(most)"
    }
}
