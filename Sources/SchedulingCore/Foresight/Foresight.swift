// What will become of what waits, and what would become of what nobody has submitted yet: Protocols/lifecycle.md, "Foresight". Asks what
// a round would ask, on the state that readers have, and changes nothing.

public import ClusterModel
public import Placement

/// When something may start. Runs end earlier and later than expected, and others may come who go first.
public struct StartForecast: Hashable, Sendable {
    /// If it were the next, and running work ended as expected; or what room is set aside for.
    public var earliest: LogicalTime
    /// If all that goes before it now did so, on all of the cluster at once; never before `earliest`.
    public var latest: LogicalTime
    /// The job whose end it waits for last.
    public var after: JobID?
}

/// What there is to say of a job that waits.
public struct WaitingForecast: Hashable, Sendable {
    /// nil: it could not start for reasons of its own.
    public var position: QueuePosition?
    /// nil: nothing tells.
    public var start: StartForecast?
    public var nodeClasses: [NodeClassExplanation] = []
    /// Each alone would let it start now.
    public var alterations: [Alteration] = []
    /// Their sentences, in the same order.
    public var sentences: [String] = []

    public init() {}
}

/// An index over the nodes of a state, with what was set aside there; made when somebody asks, and kept up to date while somebody does.
public struct Foresight: Sendable {
    /// All nodes but those set aside.
    private var fleet: Fleet?
    private var book = ReservationBook()
    private var rooms: [ReservedRoom] = []
    private var hasNewRooms = false
    /// What running work holds until when; it changes slowly, and working it out costs a step for every task.
    private var projection: (madeAt: LogicalTime, value: RoomProjection)?
    private static func projectionLifetime(nodes: Int) -> Span { .milliseconds(Int64(max(1000, nodes))) }

    /// Of rooms that were set aside, until the index is made anew.
    private static let shapesMax = 4096

    public init() {}

    /// Room that the deciding loop has set aside from now on.
    public mutating func follow(_ rooms: [ReservedRoom]) {
        (self.rooms, hasNewRooms) = (rooms, true)
    }

    /// Called after changes: where nobody has asked for long, what changed is not remembered.
    public mutating func relax(_ core: inout SchedulerCore) {
        guard core.offers.forgetChanges(beyond: 4 * core.offers.ids.count + 1024) else { return }
        (fleet, book, hasNewRooms) = (nil, ReservationBook(), true)
    }

    // MARK: Asking

    /// Of a job that waits; nil: nothing of it does, or there is none.
    public mutating func forecast(
        of job: JobID, _ core: inout SchedulerCore, known: inout SchedulerCore.Explanations, at now: LogicalTime
    ) -> WaitingForecast? {
        guard let row = core.jobs[job], !row.waiting.isEmpty, !row.isCancelling else { return nil }
        bringUp(&core, at: now)
        var forecast = WaitingForecast()
        forecast.position = core.position(of: job, at: now)
        if let room = rooms.first(where: { $0.job == job }) {
            forecast.start = StartForecast(earliest: max(room.start, now), latest: max(room.start, room.firstStart, now))
        } else {
            let mayBegin = row.unmetDependencies.isEmpty && !row.specification.isHeld
            let begin = mayBegin ? row.readySet(at: now) != nil ? now : max(now, row.nextReadyTime ?? now) : nil
            if let begin { forecast.start = start(of: row.specification, forecast.position, from: begin, core, at: now) }
        }
        forecast.nodeClasses = explanation(of: row.shape, core, &known)?.classes ?? []
        forecast.alterations = alterations(of: row.specification, user: row.user, core, at: now)
        forecast.sentences = forecast.alterations.map { $0.sentence(for: row.specification) }
        return forecast
    }

    /// What would come of a submission.
    public mutating func plan(_ submission: Submission, _ core: inout SchedulerCore, at now: LogicalTime) -> Plan {
        bringUp(&core, at: now)
        var submission = submission
        var plan = Plan(revision: core.revision, expectedRun: core.expectedRun(of: submission))
        do throws(Rejection) {
            let decided = try core.decideSubmit(submission, retryOf: nil, at: now)
            if decided.events.contains(where: { if case .jobFinished = $0 { true } else { false } }) {
                (plan.verdict, plan.reason) = (.never, .dependency)
                plan.explanation = "a job that it waits for has ended otherwise than it asks"
                return plan
            }
            // As it would be accepted: a job that recurs has its first time in it.
            for case .jobAccepted(let job) in decided.events { submission.specification = job.specification }
        } catch {
            let specification = submission.specification
            (plan.verdict, plan.rejection) = (.never, error)
            plan.alterations = alterations(of: specification, user: submission.user, core, at: now)
            plan.sentences = plan.alterations.map { $0.sentence(for: specification) }
            return plan
        }
        let specification = submission.specification
        plan.computeUnitsMilli = core.computeUnits(of: specification)
        guard var fleet else { return plan }
        plan.gangs = places(of: specification, user: submission.user, gangs: SchedulerLimits.unitsPerPlacement, &fleet, core, at: now)
        if !plan.gangs.isEmpty {
            plan.verdict = .starts
            return plan
        }
        (plan.reason, plan.explanation) = core.waitingCause(of: submission, aside: Set(rooms.flatMap(\.nodes)), at: now)
        let begin = core.dependenciesAreMet(of: specification) && !specification.isHeld ? max(now, specification.beginAt ?? now) : nil
        if let begin, begin == now {
            plan.position = core.position(of: specification, user: submission.user, at: now)
            plan.victims = victims(of: submission, core, at: now)
        }
        if let begin { plan.start = start(of: specification, plan.position, from: begin, core, at: now) }
        plan.alterations = alterations(of: specification, user: submission.user, core, at: now)
        plan.sentences = plan.alterations.map { $0.sentence(for: specification) }
        return plan
    }

    // MARK: The index

    private mutating func bringUp(_ core: inout SchedulerCore, at now: LogicalTime) {
        var changed = core.offers.takeChanges()
        let isOld = fleet.map { $0.isOfOldKinds || $0.shapeCount > Self.shapesMax } ?? true
        if isOld { (fleet, book, hasNewRooms, changed) = (Fleet(), ReservationBook(), true, core.offers.ids) }
        guard var fleet = fleet.take() else { return }
        if hasNewRooms {
            // In order: sets have one of their own in each process.
            for node in book.nodesAside.sorted() { if let offer = core.offers[node] { fleet.set(offer, for: node) } }
            book = ReservationBook()
        }
        for id in Set(changed).sorted() {
            let offer = core.offers[id]
            if book.follow(id, offer) { continue }
            if let offer { fleet.set(offer, for: id) } else { fleet.remove(id) }
        }
        if hasNewRooms { book = ReservationBook(rooms, &fleet, of: core, at: now) }
        hasNewRooms = false
        self.fleet = fleet
    }

    private func explanation(
        of shape: RequestClassID, _ core: borrowing SchedulerCore, _ known: inout SchedulerCore.Explanations
    ) -> WaitingExplanation? {
        if let explanation = known[shape] { return explanation }
        guard let interned = core.shapes[shape]?.shape else { return nil }
        let explanation = WaitingExplanation(of: interned, on: core.offers, aside: Set(rooms.flatMap(\.nodes)))
        known[shape] = explanation
        return explanation
    }

    // MARK: Judging

    /// Places of as many gangs as would start at once, each gang's in the order of ranks.
    ///
    /// - Parameter fleet: what several gangs take is taken from it; what one does is not.
    private func places(
        of specification: JobSpecification, user: String, gangs: Int, _ fleet: inout Fleet, _ core: borrowing SchedulerCore,
        at now: LogicalTime
    ) -> [[TaskPlace]] {
        guard !specification.isHeld, core.dependenciesAreMet(of: specification), (specification.beginAt ?? now) <= now else { return [] }
        let applicant = core.limitedApplicant(specification, user: user)
        let shape = RequestClass(of: specification)
        let gang = fleet.shape(of: shape)
        let elements = specification.array.map { $0.concurrencyLimit > 0 ? $0.concurrencyLimit : specification.unitCount } ?? 1
        var book = book
        var found: [[TaskPlace]] = []
        while found.count < min(gangs, Int(elements)) {
            let taken = found.flatMap(\.self)
            if let applicant, core.quotaMiss(of: applicant, beside: core.amounts(of: taken), tasks: Int64(taken.count)) != nil { break }
            var places = shape.gangSize > 1 ? fleet.placeGang(gang) ?? [] : fleet.place(gang, limit: 1)
            if places.isEmpty, !book.isEmpty {
                let isGuaranteed = found.isEmpty && core.isWithinGuarantee(applicant, at: now)
                let kinds = RunTimeKey.kinds(of: specification, user: user)
                let bound = isGuaranteed ? nil : core.outlook(of: specification, kinds: kinds, after: .zero).bound
                if isGuaranteed || bound != nil { places = book.backfill(nil, shape, lasting: bound, limit: 1, at: now) ?? [] }
            }
            guard case .found(let allowed) = core.allowed(places, to: applicant, mayChoose: true, &fleet) else { break }
            if let applicant, !found.isEmpty, core.quotaMiss(of: applicant, taken + allowed) != nil { break }
            found.append(allowed)
            if gangs == 1 { break }
            for place in allowed where !book.take(place) { fleet.take(place.allocation, on: place.node) }
        }
        return found
    }

    private func alterations(
        of specification: JobSpecification, user: String, _ core: borrowing SchedulerCore, at now: LogicalTime
    ) -> [Alteration] {
        // A copy: shapes that nobody has asked for are forgotten with it.
        guard var fleet else { return [] }
        let models = core.offers.totals.models.keys.sorted()
        let spans = rooms.map { $0.start - now }.filter { $0 > .zero }.sorted(by: >)
        var search = AlterationSearch(of: specification, queues: core.openQueues, models: models, idleSpans: spans)
        search.run { altered in
            !places(of: altered, user: user, gangs: 1, &fleet, core, at: now).isEmpty && core.isAcceptable(altered, user: user, at: now)
        }
        return search.alterations
    }

    /// - Parameter begin: it does not start before.
    private mutating func start(
        of specification: JobSpecification, _ position: QueuePosition?, from begin: LogicalTime, _ core: borrowing SchedulerCore,
        at now: LogicalTime
    ) -> StartForecast? {
        guard let fleet else { return nil }
        let lifetime = Self.projectionLifetime(nodes: core.offers.ids.count)
        if projection.map({ now > $0.madeAt + lifetime || now < $0.madeAt }) ?? true {
            projection = (now, RoomProjection(of: core, at: now))
        }
        guard let projection = projection?.value else { return nil }
        let shape = RequestClass(of: specification)
        var found = projection.start(of: shape, in: fleet, preferring: [])
        if found == nil, !book.isEmpty {
            var all = fleet
            for node in book.nodesAside.sorted() { if let offer = core.offers[node] { all.set(offer, for: node) } }
            found = projection.start(of: shape, in: all, preferring: [])
        }
        guard let found else { return nil }
        let earliest = max(begin, found.at)
        let ahead = projection.work(of: core.roomTotal, core) + (position?.work ?? 0)
        let latest = now + Span(nanoseconds: Int64(min(ahead, 1e9) * 1e9))
        return StartForecast(
            earliest: earliest, latest: max(earliest, latest), after: projection.lastToEnd(on: found.nodes, by: found.at))
    }

    /// Gangs that would be stopped for it.
    private func victims(of submission: Submission, _ core: borrowing SchedulerCore, at now: LogicalTime) -> [Plan.Victim] {
        guard let fleet, core.holdsPreemptible, let candidate = core.preemptionCandidate(of: submission) else { return [] }
        // As the loop has it: what is guaranteed goes before what only waits.
        var search = PreemptionSearch(of: core, on: candidate.cause == .guarantee ? book.widened(fleet) : fleet, at: now)
        let applicant = core.limitedApplicant(submission.specification, user: submission.user)
        let way = applicant.map { core.allowedWay(of: $0) } ?? RequestClass(of: submission.specification)
        guard let way, let room = search.room(for: way, of: candidate, core) else { return [] }
        return room.gangs.map { victim in
            let since = core.jobs[victim.job]?.live[victim.ordinal]?.tasks.map(\.heldSince).min() ?? now
            return Plan.Victim(job: victim.job, ordinal: victim.ordinal, hasRunFor: now - since, grace: victim.grace)
        }
    }
}
