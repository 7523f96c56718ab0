import ClusterModel
import SchedulingCore

/// A change of a job as `PATCH /v1/jobs/{id}` gives it. What is not named stays; `none` takes a bound away.
struct JobUpdateBody {
    let problems: FieldProblems
    private static let none = "none"

    func update(_ reader: inout FieldReader) -> JobUpdate {
        JobUpdate(
            priority: reader.integer("priority", -1000...1000), isHeld: reader.bool("hold"), timeLimit: span("timeLimit", &reader),
            estimate: span("estimate", &reader), deadline: time("deadline", &reader), maxPending: span("maxPending", &reader),
            labels: reader.map("labels"))
    }

    private func span(_ name: StaticString, _ reader: inout FieldReader) -> JobUpdate.Change<Span>? {
        if reader.value(name) == .string(Self.none) { return JobUpdate.Change.none }
        return reader.quantity(name, forms: "\(Quantity.spanForms), or \(Self.none)", Quantity.span).map { .to($0) }
    }

    private func time(_ name: StaticString, _ reader: inout FieldReader) -> JobUpdate.Change<LogicalTime>? {
        if reader.value(name) == .string(Self.none) { return JobUpdate.Change.none }
        guard let text = reader.string(name, expected: Timestamp.forms) else { return nil }
        if let time = Timestamp.parse(text) { return .to(time) }
        problems.add(reader.path(of: name), expected: "\(Timestamp.forms), or \(Self.none)", not: .string(text))
        return nil
    }
}
