import ClusterModel
import Placement
import SchedulingCore

// What about a job could be otherwise, as a change of the body that it was submitted with.

extension Alteration {
    /// A value of the job's body.
    enum BodyValue {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case texts([String])
        case none
    }

    /// Fields of `POST /v1/jobs`, groups by their number, with what they would be; `specification` is what they are now.
    func changes(of specification: JobSpecification) -> [(field: String, value: BodyValue)] {
        func devices(_ group: Int) -> String {
            "groups[\(group)].resources.\(specification.groups[group].resources.devices?.kindName ?? "gpu")"
        }
        switch self {
        case .devices(let group, let count): return [("\(devices(group)).count", .number(Int64(count)))]
        case .share(let group, let milli): return [("\(devices(group)).share", .text("\(milli)m"))]
        case .deviceMemory(let group, let bytes): return [("\(devices(group)).memory", .text("\(bytes >> 20)MiB"))]
        case .computeUnits(let group, let milli):
            return [("groups[\(group)].resources.computeUnits", .text(AmountText.computeUnits(milli)))]
        case .model(let group, let model): return [("\(devices(group)).model", .text(model))]
        case .cpu(let group, let milli): return [("groups[\(group)].resources.cpu", .text("\(milli)m"))]
        case .memory(let group, let bytes): return [("groups[\(group)].resources.memory", .text("\(bytes >> 20)MiB"))]
        case .sharedCores(let group): return [("groups[\(group)].resources.wholeCores", .flag(false))]
        case .tasks(let group, let count): return [("groups[\(group)].count", .number(Int64(count)))]
        case .withoutConstraint(let group, let constraint):
            let rest = specification.groups[group].constraints.filter { $0 != constraint }.map(\.text)
            return [("groups[\(group)].constraints", .texts(rest))]
        case .preferred(let level):
            return specification.groups.indices.map { ("groups[\($0)].topology.\(level.name)", .text(TopologyWish.prefer.name)) }
        case .anyCenter: return [("centers", .texts([]))]
        case .anyPool: return [("pool", .none)]
        case .withoutInternet: return [("needsInternet", .flag(false))]
        case .preemptible: return [("preemptible", .flag(true))]
        case .timeLimit(let span): return [("timeLimit", .text(AmountText.exactly(span)))]
        case .queue(let name): return [("queue", .text(name))]
        case .released: return [("hold", .flag(false))]
        case .withoutDependencies: return [("after", .texts([]))]
        case .beginNow: return [("beginAt", .none)]
        }
    }

    /// What to give to `suanpan submit` beside what was given, or instead of it; nil where something is to be left out.
    func option(for specification: JobSpecification) -> String? {
        let isAlone = specification.groups.count == 1
        func kind(_ group: Int) -> DeviceKind? { specification.groups[group].resources.devices?.kind }
        switch self {
        case .devices(let group, let count):
            guard isAlone, let kind = kind(group), kind != .other else { return nil }
            return "--\(kind.name)s \(count)"
        case .share(let group, let milli): return isAlone && kind(group) == .gpu ? "--gpu-share \(milli)m" : nil
        case .deviceMemory(let group, let bytes): return isAlone && kind(group) == .gpu ? "--gpu-memory \(bytes >> 20)MiB" : nil
        case .computeUnits(_, let milli): return isAlone ? "--compute-units \(AmountText.computeUnits(milli))" : nil
        case .model(let group, let model):
            // Agents name models; what is told here is pasted into shells.
            let isPlain = model.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || " ._-".utf8.contains(byte)
            }
            return isAlone && isPlain && kind(group) == .gpu ? "--gpu-model '\(model)'" : nil
        case .cpu(_, let milli): return isAlone ? "--cpus \(milli % 1000 == 0 ? "\(milli / 1000)" : "\(milli)m")" : nil
        case .memory(_, let bytes): return isAlone ? "--memory \(AmountText.memory(bytes).filter { $0 != " " })" : nil
        case .tasks(_, let count): return isAlone ? "--tasks \(count)" : nil
        case .preferred(let level): return isAlone ? "--topology \(level.name)=\(TopologyWish.prefer.name)" : nil
        case .preemptible: return "--preemptible"
        case .timeLimit(let span): return "--time-limit \(AmountText.exactly(span))"
        case .queue(let name): return "--queue \(name)"
        case .sharedCores, .withoutConstraint, .anyCenter, .anyPool, .withoutInternet, .released, .withoutDependencies, .beginNow:
            return nil
        }
    }

    func write(_ sentence: String, for specification: JobSpecification, to writer: inout JSONWriter) {
        writer.member("sentence", "starts now \(sentence)")
        writer.member("option", option(for: specification))
        writer.member("changes", items: changes(of: specification)) { writer, change in
            writer.object {
                $0.member("field", change.field)
                switch change.value {
                case .text(let text): $0.member("value", text)
                case .number(let number): $0.member("value", number)
                case .flag(let flag): $0.member("value", flag)
                case .texts(let texts): $0.member("value", strings: texts)
                case .none: $0.null("value")
                }
            }
        }
    }
}
