import AgentEngine
import DaemonKit
import Foundation
import Logging
import Synchronization

/// From the first registration to the end of the process.
///
/// SIGTERM and the end of the parent stop the agent and leave its jobs with the launcher; SIGINT takes the jobs along.
struct AgentLife {
    let engines: [AgentEngine]
    let onReady: @Sendable () -> Void
    let logger: Logger

    private enum End { case orderly, withJobs }

    func run() async throws {
        let (ends, end) = AsyncStream.makeStream(of: End.self)
        let sources = [(SIGTERM, End.orderly), (SIGINT, .withJobs)].map { number, kind in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { end.yield(kind) }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for engine in engines { group.addTask { try await engine.run() } }
            group.addTask {
                for engine in engines { await engine.awaitRegistration() }
                onReady()
            }
            group.addTask {
                await ParentWatch.shared.ended()
                end.yield(.orderly)
            }
            group.addTask {
                for await kind in ends {
                    if kind == .withJobs { for engine in engines { await engine.killAll() } }
                    for engine in engines { await engine.stop() }
                    return
                }
            }
            var running = engines.count + 3
            do {
                while try await group.next() != nil {
                    running -= 1
                    // Readiness aside, whatever ends first ends all.
                    if await allStopped { break }
                }
            } catch {
                for engine in engines { await engine.stop() }
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    private var allStopped: Bool {
        get async {
            for engine in engines where await !engine.hasStopped { return false }
            return true
        }
    }
}
