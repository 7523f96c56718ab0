/// How a verb ends when it fails by itself. The numbers are part of the interface.
enum ExitStatus: Int32, Hashable, Sendable {
    case ok = 0
    case failed = 1
    case usage = 2
    case notFound = 3
    case notAllowed = 4
    case conflict = 5
    /// By quota, budget or policy.
    case refused = 6
    /// The coordinator cannot be reached, or gave no answer in time.
    case unreachable = 7
}

/// What a verb says before it ends with a status: one sentence, further lines, and what to do about it.
struct CommandFailure: Error, Hashable, Sendable {
    var status: ExitStatus
    var message: String
    var details: [String]
    var remedy: String?

    init(_ status: ExitStatus, _ message: String, details: [String] = [], remedy: String? = nil) {
        self.status = status
        self.message = message
        self.details = details
        self.remedy = remedy
    }

    /// The lines for standard error.
    var text: String {
        var lines = ["suanpan: \(Printable.line(message))"]
        lines += details.map { "  " + Printable.line($0) }
        if let remedy { lines.append("  " + Printable.line(remedy)) }
        return lines.map { $0 + "\n" }.joined()
    }
}

/// Text from elsewhere made safe for a terminal: control characters would move its cursor or worse.
enum Printable {
    static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\t" {
                output += " "
            } else if isControl(scalar) {
                output += "\u{FFFD}"
            } else {
                output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
    }
}
