// Who holds how much, and whether somebody may hold more.

import ClusterModel
import Placement

extension SchedulerCore {
    /// All that registered nodes have.
    var roomTotal: RoomAmounts {
        let totals = offers.totals
        return RoomAmounts(
            cpuMilli: totals.cpuMilli, memoryBytes: totals.memoryBytes, deviceMilli: totals.deviceMilli, computeUnitsMilli: strengthTotal)
    }

    // MARK: Accounts of jobs

    /// The account of a job that comes; what it holds is counted where that account's is.
    mutating func enterAccount(_ specification: JobSpecification, user: String) -> AccountID {
        let name = AccountName(of: specification, user: user)
        let objects = shareObjects
        let id = accounts.find(name) { Self.shareWeight(of: $0, in: objects) }
        if accounts[id].jobs == 0, !quotas.isEmpty { accounts[id].quotas = quotas.counts(of: name) }
        accounts.countJob(1, of: id)
        return id
    }

    mutating func leaveAccount(_ row: JobRow) {
        accounts.countJob(-1, of: row.account)
        if !row.hasBegun { countQueuedJob(-1, of: row.account) }
    }

    mutating func countQueuedJob(_ sign: Int64, of account: AccountID) {
        for count in accounts[account].quotas { quotas.update(count) { use, _ in use.queuedJobs += sign } }
    }

    // MARK: What is held

    func amounts(of places: some Collection<TaskPlace>) -> RoomAmounts {
        places.reduce(.zero) { $0 + RoomAmounts(of: $1.allocation, strengths: nodes[$1.node]?.strengths ?? []) }
    }

    /// What tasks of one job hold from now on, or no longer hold.
    ///
    /// - Parameter now: nil while a state is read: averages are what they were.
    mutating func charge(_ sign: Int64, _ places: some Collection<TaskPlace>, of row: JobRow, at now: LogicalTime?) {
        let amounts = amounts(of: places)
        accounts.charge(
            sign, amounts, tasks: places.count, isFirm: !row.specification.isPreemptible, to: row.account,
            at: rules >= Self.rulesWithShares ? now : nil)
        count(sign, places, amounts, under: accounts[row.account].quotas)
    }

    private mutating func count(
        _ sign: Int64, _ places: some Collection<TaskPlace>, _ amounts: RoomAmounts, under counts: [QuotaCount]
    ) {
        guard !counts.isEmpty else { return }
        for count in counts {
            let models = self.models(of: places, under: quotas.rows[count.quota])
            quotas.update(count) { use, _ in
                use.held += amounts * sign
                use.tasks += sign * Int64(places.count)
                for index in models.indices { use.models[index] += sign * models[index] }
            }
        }
    }

    private func models(of places: some Collection<TaskPlace>, under row: QuotaTable.Row) -> [Int64] {
        var models = row.unused.models
        guard !models.isEmpty else { return models }
        for place in places where !place.allocation.devices.isEmpty {
            let held = row.models(of: place.allocation.devices, devices: offers[place.node]?.inventory.devices ?? [])
            for index in models.indices { models[index] += held[index] }
        }
        return models
    }

    /// Live tasks of a job with what they hold.
    func heldPlaces(of row: JobRow) -> [TaskPlace] {
        row.liveOrdinals.flatMap { ordinal in
            (row.live[ordinal]?.tasks ?? []).filter(\.isLive).map { TaskPlace(node: $0.node, allocation: $0.allocation) }
        }
    }

    /// What a node's tasks hold is counted anew around a change of what the node has.
    mutating func recount(_ sign: Int64, on node: NodeID, at now: LogicalTime) {
        for attempt in attempts(on: node) {
            guard let (row, _, rank, unit) = liveTask(attempt) else { continue }
            charge(sign, [TaskPlace(node: node, allocation: unit.tasks[rank].allocation)], of: row, at: now)
        }
    }

    /// Quotas have changed: everything is counted from nothing.
    mutating func recountQuotas() {
        makeQuotas()
        for id in accounts.users { accounts[id].quotas = quotas.counts(of: accounts.name(of: id)) }
        for id in jobs.ids { if let row = jobs[id] { countUnderQuotas(row) } }
    }

    /// With nothing counted.
    mutating func makeQuotas() {
        quotas = QuotaTable(
            shareObjects.values.compactMap { object -> QuotaRecord? in
                guard case .quota(let quota) = object else { return nil }
                return quota
            })
    }

    private mutating func countUnderQuotas(_ row: JobRow) {
        let counts = accounts[row.account].quotas
        guard !counts.isEmpty else { return }
        if !row.hasBegun { countQueuedJob(1, of: row.account) }
        let places = heldPlaces(of: row)
        guard !places.isEmpty else { return }
        let amounts = amounts(of: places)
        count(1, places, amounts, under: counts)
    }

    // MARK: Whether more may be held

    /// Its account holds more than some limit allows by now.
    func isOverItsLimits(_ row: JobRow) -> Bool {
        guard let applicant = limitedApplicant(row) else { return false }
        let isOverQuota = applicant.counts.contains { count in
            let (record, use) = (quotas.rows[count.quota].record, quotas.use(count))
            return use.held.firstExcess(over: record.room.mostAmounts) != nil || use.tasks > Int64(record.runningTasks ?? .max)
                || zip(use.models, record.models).contains { $0 > $1.deviceMilli }
        }
        return isOverQuota
            || accounts.path(from: applicant.queue).contains { id in
                guard let record = accounts[id].bounds.record else { return false }
                return RoomKind.allCases.contains { accounts[id].held[$0] > record.bound(of: $0)?.most ?? .max }
            }
    }

    /// Some limit of its account is on models of devices.
    private func countsModels(_ applicant: Applicant) -> Bool {
        applicant.counts.contains { !quotas.rows[$0.quota].record.models.isEmpty }
    }

    /// Why these tasks may not be placed now; nil: they may.
    func quotaMiss(of applicant: Applicant, _ places: some Collection<TaskPlace>) -> QuotaMiss? {
        let amounts = amounts(of: places)
        for count in applicant.counts {
            let quota = quotas.rows[count.quota]
            let miss = quota.miss(
                of: quotas.use(count), user: count.user, adding: amounts, tasks: Int64(places.count),
                models: models(of: places, under: quota))
            if let miss { return miss }
        }
        return queueMiss(of: applicant, amounts)
    }

    /// Why a gang may not start, whichever nodes it got: by what it holds at least.
    ///
    /// - Parameters:
    ///   - more: what the same accounts are about to hold besides.
    ///   - tasks: with that.
    func quotaMiss(of applicant: Applicant, beside more: RoomAmounts = .zero, tasks: Int64 = 0) -> QuotaMiss? {
        let least = applicant.shape.leastAmounts + more
        let tasks = Int64(applicant.shape.gangSize) + tasks
        for count in applicant.counts {
            let quota = quotas.rows[count.quota]
            let miss = quota.miss(of: quotas.use(count), user: count.user, adding: least, tasks: tasks, models: [])
            if let miss { return miss }
        }
        return queueMiss(of: applicant, least)
    }

    /// As the other, by what the nodes would grant: for people, since it costs a search.
    func quotaMissOfGrants(to applicant: Applicant) -> QuotaMiss? {
        guard applicant.shape.isRoundedUp || countsModels(applicant) else { return nil }
        return missWhenIdle(of: applicant.shape) { quotaMiss(of: applicant, $0) }
    }

    /// The first way of having devices in which a gang may start as far as limits go; nil: none now.
    func allowedWay(of applicant: Applicant) -> RequestClass? {
        guard quotaMiss(of: applicant) == nil else { return nil }
        return ([applicant.shape] + narrower(of: applicant)).first { way in
            offers.placesWhenIdle(way).map { quotaMiss(of: applicant, $0) == nil } ?? false
        }
    }

    /// Ways of having devices that it likes less, and single models: what it likes best it may not have.
    func narrower(of applicant: Applicant) -> [RequestClass] {
        applicant.shape.narrower(models: countsModels(applicant) ? offers.totals.models.keys.sorted() : [])
    }

    private func queueMiss(of applicant: Applicant, _ amounts: RoomAmounts) -> QuotaMiss? {
        guard !accounts.isUnbounded else { return nil }
        for id in accounts.path(from: applicant.queue) {
            guard let record = accounts[id].bounds.record else { continue }
            let held = accounts[id].held
            for kind in RoomKind.allCases where amounts[kind] > 0 {
                guard let (most, limit) = record.bound(of: kind), held[kind] + amounts[kind] > most else { continue }
                return QuotaMiss(limit: limit, most: kind.text(most), held: kind.text(held[kind]), requested: kind.text(amounts[kind]))
            }
        }
        return guaranteeMiss(of: applicant, amounts)
    }

    /// Firm work leaves what is guaranteed to others and not held by their firm work; work that can be taken away leaves what is
    /// not lent. What is within one's own guarantee takes nothing from anybody.
    private func guaranteeMiss(of applicant: Applicant, _ amounts: RoomAmounts) -> QuotaMiss? {
        let isFirm = applicant.isFirm
        let root = accounts[.root]
        let kept = accounts.kept(adding: amounts, isFirm: isFirm, to: applicant.queue)
        return guaranteeMiss(
            of: amounts, isFirm, beside: isFirm ? root.firm : root.held, before: isFirm ? root.bounds.owed : root.bounds.kept, after: kept)
    }

    /// - Parameters:
    ///   - held: by all that counts against what is kept.
    ///   - before: what is kept for queues now.
    ///   - after: what would be kept.
    private func guaranteeMiss(of amounts: RoomAmounts, _ isFirm: Bool, beside held: RoomAmounts, before: RoomAmounts, after: RoomAmounts)
        -> QuotaMiss?
    {
        let capacity = roomTotal
        for kind in RoomKind.allCases where after[kind] > 0 {
            let (taken, needed) = (held[kind] + before[kind], held[kind] + amounts[kind] + after[kind])
            guard needed > taken, needed > capacity[kind] else { continue }
            let left = max(0, capacity[kind] - taken)
            return QuotaMiss(limit: .guarantees(isFirm: isFirm), most: kind.text(left), held: nil, requested: kind.text(amounts[kind]))
        }
        return nil
    }

    /// Why a job could not even start where nothing else ran; nil: it could.
    func quotaForever(of specification: JobSpecification, user: String) -> QuotaMiss? {
        let name = AccountName(of: specification, user: user)
        let shape = RequestClass(of: specification)
        if let miss = quotaForever(of: specification, name, shape.leastAmounts) { return miss }
        guard shape.isRoundedUp, !accounts.isUnbounded || !quotas.counts(of: name).isEmpty else { return nil }
        return missWhenIdle(of: shape) { quotaForever(of: specification, name, amounts(of: $0)) }
    }

    private func quotaForever(of specification: JobSpecification, _ name: AccountName, _ amounts: RoomAmounts) -> QuotaMiss? {
        for count in quotas.counts(of: name) {
            let quota = quotas.rows[count.quota]
            let tasks = Int64(specification.gangSize)
            guard var miss = quota.miss(of: quota.unused, user: count.user, adding: amounts, tasks: tasks, models: []) else { continue }
            miss.held = nil
            return miss
        }
        guard !accounts.isUnbounded else { return nil }
        for id in accounts.known(queue: specification.queue).map({ accounts.path(from: $0) }) ?? [] {
            guard let record = accounts[id].bounds.record else { continue }
            for kind in RoomKind.allCases where amounts[kind] > 0 {
                guard let (most, limit) = record.bound(of: kind), amounts[kind] > most else { continue }
                return QuotaMiss(limit: limit, most: kind.text(most), held: nil, requested: kind.text(amounts[kind]))
            }
        }
        return guaranteeForever(of: specification, amounts)
    }

    /// What is granted may be more than what was asked for: then what the nodes would grant tells, if they were idle, in each way of
    /// having devices.
    ///
    /// - Returns: nil where some way is allowed, or none can be had at all.
    func missWhenIdle(of shape: RequestClass, _ judge: ([TaskPlace]) -> QuotaMiss?) -> QuotaMiss? {
        var first: QuotaMiss?
        for way in [shape] + shape.narrower(models: []) {
            guard let places = offers.placesWhenIdle(way) else { continue }
            guard let miss = judge(places) else { return nil }
            if first == nil { first = miss }
        }
        return first
    }

    /// Nothing but guarantees stands against the job, on the nodes there are.
    private func guaranteeForever(of specification: JobSpecification, _ least: RoomAmounts) -> QuotaMiss? {
        guard !offers.isEmpty else { return nil }
        let isFirm = !specification.isPreemptible
        let path = accounts.known(queue: specification.queue).map { accounts.path(from: $0) } ?? []
        return guaranteeMiss(
            of: least, isFirm, beside: .zero, before: accounts.kept(in: .root, holding: .zero, on: [], isFirm: isFirm),
            after: accounts.kept(in: .root, holding: least, on: path, isFirm: isFirm))
    }

    /// Quotas that have as many jobs that have not begun as they allow.
    func queuedJobsMiss(of specification: JobSpecification, user: String) -> QuotaMiss? {
        for count in quotas.counts(of: AccountName(of: specification, user: user)) {
            guard let most = quotas.rows[count.quota].record.queuedJobs else { continue }
            let queued = quotas.use(count).queuedJobs
            guard queued >= Int64(most) else { continue }
            return QuotaMiss(
                limit: .quota(quotas.rows[count.quota].record.name, user: count.user), most: "\(most) queued job\(most == 1 ? "" : "s")",
                held: "\(queued)", requested: "1")
        }
        return nil
    }
}

extension QueueRecord {
    /// Most that it ever holds of a kind, and what says so.
    func bound(of kind: RoomKind) -> (most: Int64, limit: QuotaMiss.Limit)? {
        let ceiling = ceiling[kind].map { (most: $0, limit: QuotaMiss.Limit.queueCeiling(name)) }
        guard let borrow = borrow[kind] else { return ceiling }
        let borrowing = (most: (guarantee[kind] ?? 0) + borrow, limit: QuotaMiss.Limit.queueBorrowing(name))
        return ceiling.map { $0.most <= borrowing.most ? $0 : borrowing } ?? borrowing
    }
}

extension AccountTable {
    /// What would be kept for queues together, from firm work or from all, if a queue held so much more.
    func kept(adding amounts: RoomAmounts, isFirm: Bool, to queue: AccountID) -> RoomAmounts {
        var changeBelow = RoomAmounts.zero
        for queue in path(from: queue) {
            var bounds = self[queue].bounds
            bounds.owedBelow += changeBelow
            bounds.keptBelow += changeBelow
            if isFirm {
                changeBelow = bounds.owed(holding: self[queue].firm + amounts) - self[queue].bounds.owed
            } else {
                changeBelow = bounds.kept(holding: self[queue].held + amounts) - self[queue].bounds.kept
            }
        }
        let root = self[.root].bounds
        return (isFirm ? root.owed : root.kept) + changeBelow
    }
}

extension AccountTable {
    /// What would be kept for a queue and those below it, if nothing were held but so much, in the queues of a path.
    fileprivate func kept(in queue: AccountID, holding amounts: RoomAmounts, on path: [AccountID], isFirm: Bool) -> RoomAmounts {
        var bounds = self[queue].bounds
        var below = RoomAmounts.zero
        for child in self[queue].children where self[child].level == .queue {
            below += kept(in: child, holding: amounts, on: path, isFirm: isFirm)
        }
        (bounds.owedBelow, bounds.keptBelow) = (below, below)
        let held = path.contains(queue) ? amounts : .zero
        return isFirm ? bounds.owed(holding: held) : bounds.kept(holding: held)
    }
}

extension RequestClass {
    /// What is granted may be more than `leastAmounts`.
    var isRoundedUp: Bool {
        groups.contains { group in
            group.resources.hasWholeCores || group.resources.choices.contains { $0.devices.map { $0.shareMilli == 0 } ?? false }
        }
    }

    /// The same with one way of having devices for all groups that name several, and then each on one of the models.
    func narrower(models: [String]) -> [RequestClass] {
        let ways = groups.map { $0.resources.choices.count }.max() ?? 1
        var narrower: [RequestClass] = []
        for way in 0..<ways {
            var one = self
            for index in groups.indices {
                let choices = groups[index].resources.choices
                one.groups[index].resources = choices[min(way, choices.count - 1)]
            }
            if ways > 1 { narrower.append(one) }
            for model in models {
                guard let narrow = one.narrowed(to: model) else { continue }
                narrower.append(narrow)
            }
        }
        return narrower
    }

    /// With devices of one model; nil where none of it will do.
    private func narrowed(to model: String) -> RequestClass? {
        guard !model.contains(where: { "*?|".contains($0) }) else { return nil }
        var narrow = self
        for index in groups.indices where groups[index].resources.devices != nil {
            let pattern = groups[index].resources.devices?.modelPattern ?? ""
            guard pattern.isEmpty || GlobPattern(pattern).matches(model) else { return nil }
            narrow.groups[index].resources.devices?.modelPattern = model
        }
        return narrow
    }

    /// What a gang holds at least, wherever it is placed.
    var leastAmounts: RoomAmounts {
        var least = RoomAmounts.zero
        for group in groups {
            var task = RoomAmounts(cpuMilli: group.resources.cpuMilli, memoryBytes: group.resources.memoryBytes).bounded
            let choices = group.resources.choices.map(\.devices)
            let devices = choices.map { $0.map { Int64($0.count) * $0.shareMilli } ?? 0 }.min() ?? 0
            let strength = choices.map { $0?.computeUnitsMilli ?? 0 }.min() ?? 0
            task += RoomAmounts(deviceMilli: devices, computeUnitsMilli: strength).bounded
            // So many tasks of at most 2^56 each are beyond any node already; more would overflow.
            least = (least + (task.times(Int64(group.count)))).bounded
        }
        return least
    }
}
