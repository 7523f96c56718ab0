import ClusterModel
import Placement
import SchedulingCore

// What is foreseen of a job, as replies show it.

extension WaitingForecast {
    func write(for specification: JobSpecification, to writer: inout JSONWriter) {
        writer.foresee(position, start)
        writer.member("nodeClasses", items: nodeClasses) { writer, row in
            writer.object {
                $0.member("class", row.nodeClass.text)
                $0.member("nodes", row.nodes)
                $0.member("nodesThatFit", row.nodesThatFit)
                $0.member("nodesKeptForOthers", row.nodesKeptForOthers)
                $0.member("causes", items: row.causes) { writer, cause in
                    writer.object {
                        $0.member("nodes", cause.nodes)
                        $0.member("sentence", cause.sentence)
                    }
                }
            }
        }
        writer.write(alterations, sentences, for: specification)
    }
}

extension Plan {
    /// Tasks whose places are named.
    private static let placesShown = 256

    func write(for specification: JobSpecification, nodeName: (NodeID) -> String?, to writer: inout JSONWriter) {
        writer.member("gangs", specification.unitCount)
        writer.member("gangsStarting", gangs.count)
        let tasks = gangs.enumerated().flatMap { gang, places in
            places.enumerated().map { (gang: gang, rank: $0.offset, place: $0.element) }
        }
        writer.member("placement", items: tasks.prefix(Self.placesShown)) { writer, task in
            writer.object {
                $0.member("gang", task.gang)
                $0.member("rank", task.rank)
                $0.member("node", nodeName(task.place.node) ?? task.place.node.description)
                $0.member("allocation") { task.place.allocation.write(to: &$0) }
            }
        }
        writer.foresee(position, start)
        writer.member("preempts", items: victims) { writer, victim in
            writer.object {
                $0.member("job", victim.isNamed ? victim.job.description : nil)
                $0.member("gang", victim.isNamed ? victim.ordinal : nil)
                $0.member("ranForSeconds", victim.hasRunFor.wholeSeconds)
                $0.member("graceSeconds", victim.grace.wholeSeconds)
            }
        }
        writer.member("expectedRunSeconds", expectedRun.wholeSeconds)
        writer.member("timeLimitSeconds", specification.timeLimit?.wholeSeconds)
        writer.member("computeUnitsMilli", computeUnitsMilli)
        writer.member("computeUnitMilliHours", hours(expectedRun, of: specification))
        writer.member("computeUnitMilliHoursMax", specification.timeLimit.map { hours($0, of: specification) })
        writer.write(alterations, sentences, for: specification)
        writer.member("revision", revision)
    }

    /// Milli-CU-hours of all gangs, if each took so long.
    private func hours(_ run: Span, of specification: JobSpecification) -> Int64 {
        let amount = Double(computeUnitsMilli) * Double(specification.unitCount) * Double(run.nanoseconds) / 3.6e12
        return Int64(min(amount + 0.5, 9e18))
    }
}

extension JSONWriter {
    fileprivate mutating func foresee(_ position: QueuePosition?, _ start: StartForecast?) {
        if let position {
            member("position") {
                $0.member("ahead", position.ahead)
                $0.member("waiting", position.waiting)
                $0.member("isLeast", position.isLeast)
            }
        } else {
            null("position")
        }
        member("expectedStart", start?.earliest)
        member("latestStart", start?.latest)
        member("startsAfter", start?.after?.description)
    }

    fileprivate mutating func write(_ alterations: [Alteration], _ sentences: [String], for specification: JobSpecification) {
        member("startsNow", items: zip(alterations, sentences)) { writer, item in
            writer.object { item.0.write(item.1, for: specification, to: &$0) }
        }
    }
}
