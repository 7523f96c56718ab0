/// Why a job has not started, on standard error: one line that keeps itself up to date on a terminal, and elsewhere one
/// line for each reason, so that a log of a build server stays short.
struct WaitingLine: Sendable {
    private let console: Console
    private let job: String
    private var isShown = false
    private var lastSentence = ""

    init(console: Console, job: String) {
        self.console = console
        self.job = job
    }

    mutating func show(_ sentence: String, after elapsed: Duration) {
        if console.errorsIsTerminal {
            let text = Printable.line("job \(job) \(sentence), for \(Humanized.duration(seconds: elapsed.components.seconds))")
            console.errors.write(Array("\r\u{1B}[K\(text)".utf8))
            isShown = true
        } else if sentence != lastSentence {
            console.note("job \(job) \(sentence)")
        }
        lastSentence = sentence
    }

    /// Takes the line away before anything else is written.
    mutating func clear() {
        guard isShown else { return }
        console.clearLine()
        isShown = false
    }
}
