import Dispatch
import Glibc

/// The live view: a picture every two seconds, drawn again when the terminal changes, until a key or signal ends it.
struct TopSession {
    let client: CoordinatorClient
    let console: Console

    private enum Event: Sendable {
        case tick
        case resized
        case taken(Result<TopPicture, CommandFailure>)
        case leave
    }

    private static let interval = DispatchTimeInterval.seconds(2)

    func run() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(16))
        let signals = Task {
            for await number in Interrupts.stream(of: [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH]) {
                continuation.yield(number == SIGWINCH ? .resized : .leave)
            }
        }
        let timer = DispatchSource.makeTimerSource()
        timer.setEventHandler { continuation.yield(.tick) }
        timer.schedule(deadline: .now(), repeating: Self.interval)
        let keys = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO)
        keys.setEventHandler {
            var byte: UInt8 = 0
            // Where the terminal has gone there is nobody to show anything to.
            if read(STDIN_FILENO, &byte, 1) != 1 || byte == UInt8(ascii: "q") || byte == UInt8(ascii: "Q") { continuation.yield(.leave) }
        }
        let screen = TerminalScreen(console)
        timer.activate()
        keys.activate()
        defer {
            timer.cancel()
            keys.cancel()
            signals.cancel()
            screen.leave()
        }
        await watch(events, continuation, on: screen)
    }

    /// One request at a time; keys are heard while it is under way.
    private func watch(_ events: AsyncStream<Event>, _ continuation: AsyncStream<Event>.Continuation, on screen: TerminalScreen) async {
        var picture: TopPicture?
        var trouble: String?
        var request: Task<Void, Never>?
        defer { request?.cancel() }
        for await event in events {
            switch event {
            case .leave: return
            case .tick:
                guard request == nil else { continue }
                let known = picture?.groupsByJob ?? [:]
                request = Task { [client] in
                    do throws(CommandFailure) {
                        continuation.yield(.taken(.success(try await TopPicture.take(from: client, known: known))))
                    } catch { continuation.yield(.taken(.failure(error))) }
                }
                continue
            case .resized: break
            case .taken(.success(let new)):
                (picture, trouble, request) = (new, nil, nil)
            case .taken(.failure(let failure)):
                (trouble, request) = (failure.message, nil)
            }
            draw(picture, trouble, on: screen)
        }
    }

    private func draw(_ picture: TopPicture?, _ trouble: String?, on screen: TerminalScreen) {
        let now = Timestamp.now()
        let title =
            trouble.map { "suanpan top: \(Printable.line($0))" } ?? "suanpan top \(client.configuration.url)  \(now.rfc3339)  q ends"
        let body = picture?.text(now: now, rows: screen.size.rows - 2, hasColour: console.hasColour) ?? ""
        screen.show(title + "\n\n" + body)
    }
}
