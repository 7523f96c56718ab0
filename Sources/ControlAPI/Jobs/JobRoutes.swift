import ClusterModel
import ClusterPorts
import Crypto
import HTTPTypes
import Hummingbird
import SchedulingCore

extension ControlRouter {
    static var jobs: [Endpoint] {
        [
            Endpoint(.post, "/v1/jobs", .submitting, query: ["ifRevision"]) { call in try await submit(call) },
            Endpoint(.get, "/v1/jobs", .reading, query: ["state", "name", "user", "label", "limit", "cursor"]) { call in
                try await list(call)
            },
            Endpoint(.get, "/v1/jobs/{id}", .reading) { call in
                call.tagged(try await reply(of: call))
            },
            Endpoint(.patch, "/v1/jobs/{id}", .submitting) { call in try await update(call) },
            Endpoint(.post, "/v1/jobs/{id}/cancel", .submitting) { call in try await cancel(call) },
            Endpoint(.post, "/v1/jobs/{id}/retry", .submitting) { call in try await retry(call) },
            Endpoint(.get, "/v1/jobs/{id}/explain", .reading) { call in try await explain(call) },
        ]
    }

    // MARK: - Writes

    /// The hot path: one parse, one command, one reply; the tables are read only where the answer needs them.
    private static func submit(_ call: Call) async throws -> Response {
        let (bytes, value) = try await RequestBodyReader.read(call.request)
        let key = try idempotencyKey(of: call, digesting: bytes)
        var specification = try await specification(from: value, call)
        specification.traceParent = TraceContext.parent(call.request.headers) ?? ""
        try await checkInputs(specification, call)
        let submission = Submission(
            specification: specification, user: call.principal.user, key: key,
            requiredRevision: try call.query.integer("ifRevision", 0...UInt64.max))
        return try await answer(to: try await call.perform(.submit(submission)), submission, retryOf: nil, call)
    }

    /// A job as its submitter wrote it, of jobs and files that he may name.
    static func specification(from value: JSONValue, _ call: Call) async throws -> JobSpecification {
        let controlPlane = call.controlPlane
        let specification = try JobBody.specification(
            from: value, principal: call.principal, seal: { controlPlane.seal($0, tenant: $1) },
            dataset: { controlPlane.dataset($0, version: $1, tenant: $2) })
        try await checkDependencies(specification, call)
        return specification
    }

    private static func retry(_ call: Call) async throws -> Response {
        var (bytes, value) = try await RequestBodyReader.read(call.request, isOptional: true)
        try checkEmpty(value)
        let record = try await call.ownJob()
        // The path is part of what the key stands for: bodies of retries are all alike.
        bytes += "retry \(record.accepted.id)".utf8
        let key = try idempotencyKey(of: call, digesting: bytes)
        try await checkInputs(record.accepted.specification, call)
        let submission = Submission(specification: record.accepted.specification, user: call.principal.user, key: key)
        let decision = try await call.perform(.retry(record.accepted.id, submission))
        return try await answer(to: decision, submission, retryOf: record.accepted.id, call)
    }

    private static func cancel(_ call: Call) async throws -> Response {
        try checkEmpty(try await RequestBodyReader.read(call.request, isOptional: true).value)
        let id = try await call.ownJob().accepted.id
        let decision = try await call.perform(.cancel(id))
        return call.json(try await reply(of: call), revision: decision.revision)
    }

    private static func update(_ call: Call) async throws -> Response {
        let problems = FieldProblems()
        var reader = FieldReader(try await RequestBodyReader.read(call.request).value, at: .body, problems: problems)
        let update = JobUpdateBody(problems: problems).update(&reader)
        reader.finish()
        guard problems.list.isEmpty else { throw Problem.invalid(problems.list) }
        let decision = try await call.perform(.updateJob(try await call.ownJob().accepted.id, update))
        return call.json(try await reply(of: call), revision: decision.revision)
    }

    /// 201 for a new job, 200 with the same job for a key that was used before.
    private static func answer(
        to decision: Decision, _ submission: Submission, retryOf: JobID?, _ call: Call
    ) async throws -> Response {
        guard case .job(let id, let isReplay) = decision.answer else {
            throw Problem(.internalServerError, "internal", "The coordinator gave no job.")
        }
        var reply: JobReply?
        // What was accepted may say more than what was submitted, or less: that of a job that recurs, or is tried again.
        let isPlain = submission.specification.recurrence == nil && retryOf == nil
        if !isReplay, isPlain, let live = call.controlPlane.liveJob(id) {
            let accepted = AcceptedJob(
                id: id, specification: submission.specification, user: submission.user, key: submission.key, retryOf: retryOf,
                at: decision.at)
            reply = JobReply(submitted: accepted, live: live)
        } else if let record = try await call.controlPlane.reads.job(id, call.principal.visibility) {
            reply = JobReply(record, live: call.controlPlane.liveJob(id))
        }
        guard let reply else { throw Problem.notFound("Job \(id) does not exist.") }
        return call.json(
            JSONWriter.object { reply.write(to: &$0) }, status: isReplay ? .ok : .created, revision: decision.revision,
            location: "/v1/jobs/\(id)")
    }

    private static func idempotencyKey(of call: Call, digesting bytes: [UInt8]) throws(Problem) -> Submission.Key? {
        guard let text = call.request.headers[.idempotencyKey] else { return nil }
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .invalid("Idempotency-Key", "must have 1 … 128 printable ASCII characters")
        }
        return Submission.Key(text: text, requestDigest: Array(SHA256.hash(data: bytes).prefix(16)))
    }

    /// A job may wait only for jobs that its submitter sees: otherwise their ends would show.
    private static func checkDependencies(_ specification: JobSpecification, _ call: Call) async throws {
        var problems: [FieldProblem] = []
        for (index, dependency) in specification.dependencies.enumerated()
        where try await call.controlPlane.reads.job(dependency.job, call.principal.visibility) == nil {
            problems.append(
                FieldProblem(code: .invalid, field: "after[\(index)].job", message: "job \(dependency.job) does not exist"))
        }
        guard problems.isEmpty else { throw Problem.invalid(problems) }
    }

    /// A job whose files are not there would only wait for nodes to find out.
    private static func checkInputs(_ specification: JobSpecification, _ call: Call) async throws {
        var problems: [FieldProblem] = []
        for (index, input) in specification.inputs.enumerated() {
            guard let tree = input.tree else { continue }
            if case .whole = try await call.files({ try await $0.standing(of: tree, tenant: specification.tenant) }) { continue }
            problems.append(
                FieldProblem(
                    code: .invalid, field: "inputs[\(index)].from",
                    message: "the tenant '\(specification.tenant)' has no tree \(tree): upload it first"))
        }
        guard problems.isEmpty else { throw Problem.invalid(problems) }
    }

    /// An action without parameters takes no body, or an empty object.
    static func checkEmpty(_ value: JSONValue) throws(Problem) {
        let problems = FieldProblems()
        let reader = FieldReader(value, at: .body, problems: problems)
        reader.finish()
        guard problems.list.isEmpty else { throw .invalid(problems.list) }
    }

    // MARK: - Reads

    private static func reply(of call: Call) async throws -> [UInt8] {
        let live = call.controlPlane.liveJob(try call.jobID())
        let reply = JobReply(try await call.job(), live: live)
        return JSONWriter.object { reply.write(to: &$0) }
    }

    private static func list(_ call: Call) async throws -> Response {
        let limit = try call.query.limit(max: 500)
        var query = JobQuery(name: call.query.text("name"), user: call.query.text("user"), limit: limit + 1)
        query.states = try call.query.texts("state").flatMap { $0.split(separator: ",") }.map { name throws(Problem) in
            guard let state = JobState(name: String(name)) else {
                let valid = JobState.allCases.map(\.name).joined(separator: ", ")
                throw .invalid("state", "'\(name.prefix(80))' — expected one of \(valid)")
            }
            return state
        }
        query.labels = try call.query.texts("label").map { text throws(Problem) in
            let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { throw .invalid("label", "'\(text.prefix(80))' — expected NAME=VALUE") }
            return NamedText(String(halves[0]), String(halves[1]))
        }
        if let cursor = call.query.text("cursor") {
            guard let before = JobID(parsing: cursor) else { throw Problem.invalid("cursor", "is not one that a list gave") }
            query.before = before
        }
        let records = try await call.controlPlane.reads.jobs(query, call.principal.visibility)
        let page = records.prefix(limit)
        let next = records.count > limit ? page.last?.accepted.id.description : nil
        // Rows do not know of quotas, which change under waiting jobs without a word to them.
        let limited = call.controlPlane.jobsAtTheirQuota(among: page.filter { $0.standing.state == .queued }.map(\.accepted.id))
        return call.page(page, nextCursor: next) { writer, record in
            var standing = record.standing
            if limited.contains(record.accepted.id) { standing.reason = .quota }
            JobReply.summary(record.accepted, standing, to: &writer)
        }
    }

    private static func explain(_ call: Call) async throws -> Response {
        let id = try call.jobID()
        let record = try await call.job()
        let live = call.controlPlane.liveJob(id)
        let reply = JobReply(record, live: live)
        let standing = reply.standing
        let forecast = standing.state.isTerminal ? nil : try await call.visible(call.controlPlane.forecast(of: id))
        let reasons = standing.reason == .none ? [] : [standing.reason.name]
        return call.json(
            JSONWriter.object { writer in
                writer.member("job", standing.id.description)
                writer.member("state", standing.state.name)
                writer.member("reason", standing.reason.nameOrNil)
                writer.member("reasons", strings: reasons)
                writer.member("explanation", reply.message.isEmpty ? explanation(of: standing) : reply.message)
                (forecast ?? WaitingForecast()).write(for: record.accepted.specification, to: &writer)
                writer.member("firstExpectedStart", live?.firstExpectedStart)
                writer.member("tasks") { JobReply.counts(standing.counts, to: &$0) }
                writer.member("revision", call.controlPlane.cluster().revision)
            })
    }

    /// Where nothing waits there is nothing to explain but the state itself.
    private static func explanation(of standing: JobStanding) -> String {
        let reason = standing.reason.nameOrNil.map { " (\($0))" } ?? ""
        let code = standing.exitCode.map { ", exit code \($0)" } ?? ""
        let state = "\(standing.state.name)\(reason)"
        return standing.state.isTerminal ? "The job has ended: \(state)\(code)." : "The job is \(state); no task of it waits."
    }
}
