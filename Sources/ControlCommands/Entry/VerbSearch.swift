import ArgumentParser

/// Mistyped verbs, which the argument parser takes for unexpected arguments.
enum VerbSearch {
    static func check(_ arguments: [String]) throws(CommandFailure) {
        var command: any ParsableCommand.Type = Suanpan.self
        var path = "suanpan"
        for argument in arguments {
            let verbs = command.configuration.subcommands
            guard !verbs.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return }
            guard let verb = verbs.first(where: { $0.configuration.commandName == argument }) else {
                let names = verbs.compactMap { $0.configuration.commandName }
                let remedy =
                    nearest(to: argument, among: names).map { "did you mean `\(path) \($0)`?" } ?? "`\(path) --help` lists what there is"
                throw CommandFailure(.usage, "there is no `\(path) \(Printable.line(String(argument.prefix(40))))`", remedy: remedy)
            }
            command = verb
            path += " \(argument)"
        }
    }

    /// The name that is fewest edits away, if these are few.
    static func nearest(to text: String, among names: [String]) -> String? {
        guard text.count <= 40 else { return nil }
        let closest = names.map { (name: $0, distance: distance($0, text)) }.min { $0.distance < $1.distance }
        return closest.flatMap { $0.distance <= max($0.name.count, text.count) / 2 ? $0.name : nil }
    }

    /// Insertions, deletions and substitutions (Levenshtein), neighbours swapped counting once (Damerau, optimal string
    /// alignment).
    private static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
