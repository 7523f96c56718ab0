import ClusterModel
import ClusterPorts
import Hummingbird
import SchedulingCore

extension ControlRouter {
    static var plans: [Endpoint] {
        [Endpoint(.post, "/v1/plans", .submitting) { call in try await plan(call) }]
    }

    /// What a job would become: the same body, the same checks, and nothing changes.
    private static func plan(_ call: Call) async throws -> Response {
        let (_, value) = try await RequestBodyReader.read(call.request)
        let specification = try await specification(from: value, call)
        let submission = Submission(specification: specification, user: call.principal.user, key: nil)
        let plan = try await call.visible(call.controlPlane.plan(submission))
        var refusal: Problem?
        if let rejection = plan.rejection { refusal = try asAnswer(rejection) }
        let controlPlane = call.controlPlane
        let verdict: String =
            switch plan.verdict {
            case .starts: "starts"
            case .waits: "waits"
            case .never: "never"
            }
        return call.json(
            JSONWriter.object { [refusal] writer in
                writer.member("verdict", verdict)
                let reasons = refusal?.reasons ?? (plan.reason == .none ? [] : [plan.reason.name])
                writer.member("reason", reasons.first)
                writer.member("reasons", strings: reasons)
                writer.member("explanation", refusal?.detail ?? (plan.explanation.isEmpty ? nil : plan.explanation))
                plan.write(for: specification, nodeName: { controlPlane.node($0)?.name }, to: &writer)
            })
    }

    /// What is never possible is an answer; what is wrong with the request is a problem, as it would be of a submission.
    private static func asAnswer(_ rejection: Rejection) throws -> Problem {
        switch rejection {
        case .unsatisfiable, .quota: return Problem(rejection)
        default: throw Problem(rejection)
        }
    }
}

extension Call {
    /// Jobs of others are not named, as nowhere else.
    func visible(_ forecast: WaitingForecast?) async throws -> WaitingForecast? {
        guard var forecast else { return nil }
        forecast.start = try await visible(forecast.start)
        return forecast
    }

    func visible(_ plan: Plan) async throws -> Plan {
        var plan = plan
        plan.start = try await visible(plan.start)
        for index in plan.victims.indices where try await !sees(plan.victims[index].job) { plan.victims[index].isNamed = false }
        return plan
    }

    private func visible(_ start: StartForecast?) async throws -> StartForecast? {
        guard var start, let job = start.after, try await !sees(job) else { return start }
        start.after = nil
        return start
    }

    private func sees(_ job: JobID) async throws -> Bool { try await controlPlane.reads.job(job, principal.visibility) != nil }
}
