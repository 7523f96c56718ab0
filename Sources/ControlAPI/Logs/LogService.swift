import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore
import Synchronization

/// Answers `GET /v1/jobs/{id}/logs`. A reader costs one slot of its key and a bounded amount of memory, however slow
/// it is: nothing is read for it before it has taken what was read last.
final class LogService: Sendable {
    private let readersPerKeyMax: Int
    private let stop: StopSignal
    private let readers = Mutex<[String: Int]>([:])

    init(readersPerKeyMax: Int, stop: StopSignal) {
        self.readersPerKeyMax = readersPerKeyMax
        self.stop = stop
    }

    var readerCount: Int { readers.withLock { $0.values.reduce(0, +) } }

    /// Held as long as the answer lives, sent or not.
    private final class Slot: Sendable {
        private let service: LogService
        private let keyID: String

        init(_ service: LogService, _ keyID: String) throws(Problem) {
            let isFree = service.readers.withLock { readers in
                guard readers[keyID, default: 0] < service.readersPerKeyMax else { return false }
                readers[keyID, default: 0] += 1
                return true
            }
            self.service = service
            self.keyID = isFree ? keyID : ""
            guard isFree else {
                let detail = "This key reads \(service.readersPerKeyMax) logs already, the most allowed."
                throw .tooMany("too_many_readers", detail, retryAfter: .seconds(5))
            }
        }

        deinit {
            guard !keyID.isEmpty else { return }
            service.readers.withLock { readers in
                let rest = readers[keyID, default: 1] - 1
                readers[keyID] = rest > 0 ? rest : nil
            }
        }
    }

    func answer(_ call: Call) async throws -> Response {
        let record = try await call.job()
        let selection = try LogSelection(call, record)
        let follows = try call.query.flag("follow")
        if let attempt = selection.attempt { try await checkExists(attempt, selection, call) }
        let slot = try Slot(self, call.principal.keyID)
        var headers: HTTPFields = [
            .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store",
        ]
        // Watching for the client's end takes the connection: it cannot carry another request afterwards.
        if follows { headers[.connection] = "close" }
        let (controlPlane, request, stop) = (call.controlPlane, call.request, stop)
        let body = ResponseBody { [slot] writer in
            defer { withExtendedLifetime(slot) {} }
            var output = LogOutput(writer, isPrefixed: selection.isPrefixed)
            let dump = LogDump(selection: selection, controlPlane: controlPlane)
            if follows {
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    var follower = LogFollower(dump: dump, stop: stop)
                    try await follower.run(into: &output)
                }
            } else {
                try await dump.run(selection.indices, into: &output)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private func checkExists(_ number: UInt32, _ selection: LogSelection, _ call: Call) async throws {
        let task = TaskID(job: selection.job, index: selection.indices.lowerBound)
        guard try await LogDump(selection: selection, controlPlane: call.controlPlane).attempt(number, of: task.index) != nil else {
            throw Problem.notFound("Attempt \(AttemptID(task: task, number: number)) does not exist.")
        }
    }
}
