/// What is foreseen of a job that waits, or that nobody has submitted yet, for people.
enum ForesightText {
    /// What goes before it, and when it may start.
    static func facts(of foreseen: JSONValue, now: Timestamp) -> [(name: String, value: String?)] {
        var facts: [(name: String, value: String?)] = []
        if let position = foreseen["position"], let ahead = position["ahead"]?.integer, let waiting = position["waiting"]?.integer {
            let least = position["isLeast"] == .bool(true) ? "at least " : ""
            facts.append(("Position", "\(least)\(ahead) of \(waiting) waiting job\(waiting == 1 ? "" : "s") go first"))
        }
        if let start = start(of: foreseen, now: now) { facts.append(("Expected start", start)) }
        return facts
    }

    /// `in 12m … 40m, when job 9 has ended`.
    private static func start(of foreseen: JSONValue, now: Timestamp) -> String? {
        guard let earliest = foreseen["expectedStart"]?.text.flatMap({ Timestamp(rfc3339: $0) }) else { return nil }
        func wait(_ time: Timestamp) -> String { Humanized.duration(seconds: max(0, time.seconds - now.seconds)) }
        let latest = foreseen["latestStart"]?.text.flatMap { Timestamp(rfc3339: $0) } ?? earliest
        // What is told to a second would be taken for a promise.
        let isRange = latest.seconds - earliest.seconds > max(5, (earliest.seconds - now.seconds) / 10)
        let range = isRange ? "in \(wait(earliest)) … \(wait(latest))" : "in about \(wait(earliest))"
        let after = foreseen["startsAfter"]?.text.map { ", when job \($0) has ended" } ?? ""
        return "\(range)\(after) (\(earliest.shortText(now: now)))"
    }

    /// Why each class of nodes does not hold a task.
    static func nodes(of foreseen: JSONValue) -> String {
        let classes = foreseen["nodeClasses"]?.items ?? []
        guard !classes.isEmpty else { return "" }
        var table = Table([Table.Column("NODES", isRightAligned: true), Table.Column("CLASS"), Table.Column("WHY NOT")])
        for row in classes {
            var lines: [(count: Int64, sentence: String)] = (row["causes"]?.items ?? []).map {
                ($0["nodes"]?.integer ?? 0, $0["sentence"]?.text ?? "")
            }
            if let kept = row["nodesKeptForOthers"]?.integer, kept > 0 { lines.append((kept, "room is set aside for others")) }
            if let fit = row["nodesThatFit"]?.integer, fit > 0 { lines.append((fit, "room for a task")) }
            for line in lines { table.append([.init("\(line.count)"), .init(row["class"]?.text ?? ""), .init(line.sentence)]) }
        }
        return "\n" + table.text(isWide: false, hasColour: false)
    }

    /// Each change that alone is enough, with the option that says so.
    static func changes(of foreseen: JSONValue) -> String {
        let changes = foreseen["startsNow"]?.items ?? []
        guard !changes.isEmpty else { return "" }
        var table = Table([Table.Column("STARTS NOW"), Table.Column("AS OPTION")])
        for change in changes {
            let sentence = change["sentence"]?.text ?? ""
            let short = sentence.hasPrefix("starts now ") ? String(sentence.dropFirst("starts now ".count)) : sentence
            table.append([.init(short), .init(change["option"]?.text ?? "")])
        }
        return "\n" + table.text(isWide: false, hasColour: false)
    }
}
