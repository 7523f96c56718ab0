/// Columns of text with two spaces between; the last column is not padded.
struct Table: Sendable {
    struct Cell: Sendable, ExpressibleByStringLiteral {
        var text: String
        var tint: Tint?

        init(_ text: String, tint: Tint? = nil) {
            self.text = Printable.line(text)
            self.tint = tint
        }

        init(stringLiteral value: String) { self.init(value) }
    }

    struct Column: Sendable {
        var title: String
        var isRightAligned: Bool
        /// Shown only with `-o wide`.
        var isWide: Bool

        init(_ title: String, isRightAligned: Bool = false, isWide: Bool = false) {
            self.title = title
            self.isRightAligned = isRightAligned
            self.isWide = isWide
        }
    }

    var columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func append(_ row: [Cell]) {
        precondition(row.count == columns.count, "\(row.count) cells for \(columns.count) columns")
        rows.append(row)
    }

    func text(isWide: Bool, hasColour: Bool) -> String {
        let shown = columns.indices.filter { isWide || !columns[$0].isWide }
        let widths = shown.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1[index].text.count) }
        }
        func line(_ cell: (Int) -> Cell) -> String {
            var output = ""
            for (position, index) in shown.enumerated() {
                let content = cell(index)
                let padding = String(repeating: " ", count: widths[position] - content.text.count)
                let text = hasColour ? content.tint.map { $0.apply(to: content.text) } ?? content.text : content.text
                let isLast = position == shown.count - 1
                output += columns[index].isRightAligned ? padding + text : text + (isLast ? "" : padding)
                output += isLast ? "\n" : "  "
            }
            return output
        }
        let head = line { Cell(columns[$0].title) }
        return rows.reduce(into: head) { output, row in output += line { row[$0] } }
    }
}

/// The few colours that mean something here.
enum Tint: Int, Sendable {
    case red = 31
    case green = 32
    case yellow = 33
    case dim = 90

    func apply(to text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }

    /// How a state of a job, task or node looks.
    init?(state: String) {
        switch state {
        case "running", "ready": self = .green
        case "failed", "unreachable": self = .red
        case "queued", "starting", "stopping", "suspect", "cordoned": self = .yellow
        case "cancelled", "unregistered": self = .dim
        default: return nil
        }
    }
}
