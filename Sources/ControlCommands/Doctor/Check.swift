/// One thing that was looked at.
struct Check: Hashable, Sendable {
    enum Verdict: String, Hashable, Sendable {
        case ok
        /// It works, but not all of it.
        case warning
        case problem
    }

    /// What was looked at, a stable word for programs.
    var subject: String
    var verdict: Verdict
    var finding: String
    /// What to do; only where there is something to mend.
    var remedy: String?

    init(_ subject: String, _ verdict: Verdict, _ finding: String, remedy: String? = nil) {
        self.subject = subject
        self.verdict = verdict
        self.finding = finding
        self.remedy = remedy
    }

    func text(hasColour: Bool) -> String {
        let tint: Tint =
            switch verdict {
            case .ok: .green
            case .warning: .yellow
            case .problem: .red
            }
        let mark = verdict.rawValue.padding(to: 7)
        let line = (hasColour ? tint.apply(to: mark) : mark) + "  " + Printable.line(finding) + "\n"
        return line + (remedy.map { "         " + Printable.line($0) + "\n" } ?? "")
    }

    var json: JSONValue {
        [
            "subject": .string(subject), "verdict": .string(verdict.rawValue), "finding": .string(finding),
            "remedy": remedy.map(JSONValue.string) ?? .null,
        ]
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
