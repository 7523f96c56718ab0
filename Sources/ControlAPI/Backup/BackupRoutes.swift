import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import NIOCore

extension ControlRouter {
    /// Through the interface and not by reading the files: an administrator has a key, perhaps no account on the machine,
    /// and the data directory is readable by the coordinator's own user alone.
    static var backups: [Endpoint] {
        [Endpoint(.get, "/v1/backup", .administering, query: ["logs"]) { call in try await backup(call) }]
    }

    private static func backup(_ call: Call) async throws -> Response {
        let includesLogs = try call.query.flag("logs")
        let stream: any BackupStream
        do throws(BackupRefusal) {
            stream = try await call.controlPlane.backups.begin(includesLogs: includesLogs)
        } catch {
            switch error {
            case .busy: throw Problem.unavailable("Another backup is being made.", code: "backup_busy", retryAfter: .seconds(30))
            case .failed(let text): throw Problem(.internalServerError, "backup_failed", text)
            }
        }
        // An error ends the connection without the last chunk, so that nobody takes a part for the whole.
        let body = ResponseBody { writer in
            while let bytes = try await stream.next() { try await writer.write(ByteBuffer(bytes: bytes)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-tar", .cacheControl: "no-store"], body: body)
    }
}
