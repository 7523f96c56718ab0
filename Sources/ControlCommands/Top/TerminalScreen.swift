import CLinuxShim
import Glibc

/// The whole terminal, taken over without a trace: the alternate screen, keys without return, and all as before at the end.
final class TerminalScreen {
    private let console: Console
    private var saved: termios?

    init(_ console: Console) {
        self.console = console
        var settings = termios()
        if tcgetattr(STDIN_FILENO, &settings) == 0 {
            saved = settings
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        }
        console.write("\u{1B}[?1049h\u{1B}[?25l")
    }

    func leave() {
        console.write("\u{1B}[?25h\u{1B}[?1049l")
        if var saved { tcsetattr(STDIN_FILENO, TCSANOW, &saved) }
        saved = nil
    }

    var size: (rows: Int, columns: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else { return (24, 80) }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// Line over line, so that nothing flickers.
    func show(_ text: String) {
        let (rows, columns) = size
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(rows)
        console.write("\u{1B}[H" + lines.map { Self.clipped($0, to: columns) + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// At most so many characters; colours take none.
    static func clipped(_ line: some StringProtocol, to columns: Int) -> String {
        var output = ""
        var visible = 0
        var isEscape = false
        for character in line {
            if character == "\u{1B}" { isEscape = true }
            if isEscape {
                output.append(character)
                if character.isLetter { isEscape = false }
            } else if visible < columns {
                output.append(character)
                visible += 1
            }
        }
        return output
    }
}
