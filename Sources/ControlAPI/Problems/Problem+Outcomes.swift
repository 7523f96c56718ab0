import ClusterModel
import ClusterPorts
import Hummingbird
import SchedulingCore

// Every way in which the coordinator says no, as a problem.

extension Problem {
    /// Whatever a handler threw.
    init(thrown error: any Error) {
        self =
            switch error {
            case let problem as Problem: problem
            case let error as ControlError: Problem(error)
            case let error as JournalError: Problem(error)
            case let error as any HTTPResponseError: Problem(error)
            default: Problem(.internalServerError, "internal", "The request failed within the coordinator. Its log has the cause.")
            }
    }

    init(_ error: ControlError) {
        self =
            switch error {
            case .rejected(let rejection): Problem(rejection)
            case .overloaded(let span):
                .unavailable("The coordinator cannot take more requests at the moment.", code: "overloaded", retryAfter: span)
            case .diskFull:
                Problem(
                    .insufficientStorage, "insufficient_storage",
                    "The coordinator's disk is almost full: nothing new is accepted, and what was accepted goes on. Make room on the disk of "
                        + "its data directory.")
            case .unavailable: .unavailable("The coordinator is starting or stopping, or another one leads.")
            }
    }

    init(_ rejection: Rejection) {
        self =
            switch rejection {
            case .invalid(let errors): .invalid(errors.map { FieldProblem(code: .invalid, field: $0.field, message: $0.message) })
            case .unsatisfiable(let errors): .unsatisfiable(errors)
            case .jobNotFound(let id): .notFound("Job \(id) does not exist.")
            case .nodeNotFound(let id): .notFound("Node \(id) does not exist.")
            case .keyNotFound(let id): .notFound("Key \(id) does not exist.")
            case .notFound(let what): .notFound("\(what) does not exist.")
            case .conflict(let sentence): Problem(.conflict, rejection.code, sentence)
            case .changed(let what):
                Problem(.preconditionFailed, rejection.code, "\(what) has changed since it was read; read it again and repeat the change.")
            case .moved(let from, let to):
                Problem(
                    .preconditionFailed, rejection.code,
                    "The cluster is at version \(to) and the job was planned for version \(from): plan it again, or submit it without a version."
                )
            case .quota(let miss): .quota(miss)
            case .keyReused(let key):
                Problem(
                    .unprocessableContent, rejection.code,
                    "The Idempotency-Key '\(key.prefix(80))' came before with another request body.")
            case .tooManyKeys(let limit):
                .tooMany(rejection.code, "The tenant has \(limit) live idempotency keys, the most allowed.", retryAfter: .seconds(60))
            case .enrollment(let code, let message): Problem(.conflict, code, message)
            case .outdated: Problem(.serviceUnavailable, rejection.code, SchedulerLimits.outdatedText + ".")
            case .registration: Problem(.conflict, rejection.code, "The registration was refused.")
            case .stale: Problem(.conflict, rejection.code, "The request was about a session that is over.")
            }
    }

    private static func unsatisfiable(_ errors: [FieldError]) -> Problem {
        let detail = errors.isEmpty ? "No node of the cluster can ever hold this job." : errors.map(\.description).joined(separator: "; ")
        var problem = Problem(.unprocessableContent, "unsatisfiable", detail, title: "No node can ever hold this job")
        problem.reasons = [Reason.unsatisfiable.name]
        problem.errors = errors.map { FieldProblem(code: .invalid, field: $0.field, message: $0.message) }
        return problem
    }

    private static func quota(_ miss: QuotaMiss) -> Problem {
        let sentence = miss.sentence
        let detail = "\(sentence.prefix(1).uppercased())\(sentence.dropFirst())."
        var problem = Problem(.forbidden, "quota", detail, title: "Refused by a quota")
        problem.reasons = [Reason.quota.name]
        return problem
    }

    /// A read failed; what the database said goes to the log and not to the client.
    init(_ error: JournalError) {
        self =
            switch error.code {
            case .full, .locked: .unavailable("The coordinator's store cannot be read at the moment.", code: "storage_unavailable")
            default: Problem(.internalServerError, "internal", "The coordinator's store could not be read. Its log has the cause.")
            }
    }

    /// What Hummingbird itself refuses.
    init(_ error: any HTTPResponseError) {
        self =
            switch error.status {
            case .contentTooLarge: .contentTooLarge
            case .notFound: .notFound("There is no such resource. /openapi.json lists those there are.")
            default: Problem(error.status, "http_\(error.status.code)", error.status.reasonPhrase)
            }
    }

    static let contentTooLarge = Problem(
        .contentTooLarge, "content_too_large", "A request body has at most \(RequestBodyReader.bytesMax >> 20) MiB.")
}
