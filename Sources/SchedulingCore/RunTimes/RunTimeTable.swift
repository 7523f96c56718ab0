import ClusterModel

/// Runs that are taken to be alike. Each kind is within a wider one, whose runs stand in for those that it has not seen.
struct RunTimeKey: Hashable, Sendable {
    /// Thousandths of devices of the whole gang; without devices, minus its thousandths of cores. 0: of any size.
    var size: Int64 = 0
    var tenant = ""
    var project = ""
    var user = ""
    /// The job's name with every run of digits as one `#`.
    var pattern = ""

    /// From the narrowest to the widest.
    static func kinds(of specification: JobSpecification, user: String) -> [RunTimeKey] {
        let size = size(of: specification)
        let owner = RunTimeKey(size: size, tenant: specification.tenant, project: specification.project, user: user)
        var narrow = owner
        narrow.pattern = pattern(of: specification.name)
        return [narrow, owner, RunTimeKey(size: size, tenant: specification.tenant), RunTimeKey(size: size), RunTimeKey()]
    }

    private static func size(of specification: JobSpecification) -> Int64 {
        var (devices, cores): (Int64, Int64) = (0, 0)
        for group in specification.groups {
            if let request = group.resources.devices { devices += Int64(group.count) * Int64(request.count) * max(1, request.shareMilli) }
            cores += Int64(group.count) * group.resources.cpuMilli
        }
        return devices > 0 ? devices : -max(1, cores)
    }

    static func pattern(of name: String) -> String {
        var pattern: [UInt8] = []
        for byte in name.utf8 {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            if !isDigit { pattern.append(byte) } else if pattern.last != UInt8(ascii: "#") { pattern.append(UInt8(ascii: "#")) }
        }
        return String(decoding: pattern, as: UTF8.self)
    }
}

/// What is known of how long runs take. Bounded: kinds that were not seen for the longest time are forgotten.
struct RunTimeTable: Sendable {
    static let rowsMax = 8192
    /// Runs of the wider kind that count beside the own ones: a few own runs say little.
    private static let weightOfWider: Int64 = 5
    /// Runs that a kind needs before it is said how long most of its runs take.
    private static let runsKnown: UInt32 = 20
    /// Runs longer than an age that are needed to say how much longer.
    private static let longerRunsKnown: Int64 = 5
    /// What is expected before anything has run, in milliseconds.
    private static let unknown: Int64 = 60_000

    private struct Row: Hashable, Sendable {
        var histogram = RunTimeHistogram()
        /// The turn in which it last learned.
        var learned: UInt64 = 0

        mutating func learn(_ run: Span, in turn: UInt64) {
            histogram.add(run)
            learned = turn
        }
    }

    /// For look-up; iterate `keys`.
    private var rows: [RunTimeKey: Row] = [:]
    private var turn: UInt64 = 0

    var count: Int { rows.count }

    mutating func learn(_ run: Span, of kinds: [RunTimeKey]) {
        turn += 1
        for key in kinds {
            rows[key, default: Row()].learn(run, in: turn)
        }
        if rows.count > Self.rowsMax { forget() }
    }

    /// Half of all, those that learned last stay.
    private mutating func forget() {
        let turns = rows.values.map(\.learned).sorted()
        let middle = turns[turns.count / 2]
        rows = rows.filter { $0.value.learned >= middle }
    }

    /// How much longer a run goes on, on average, that has gone on for `age` milliseconds.
    func mean(of kinds: [RunTimeKey], beyond age: Int64) -> Int64 {
        var mean = max(Self.unknown, age)
        for key in kinds.reversed() {
            guard let row = rows[key] else { continue }
            let (count, sum) = row.histogram.rest(beyond: age)
            mean = (sum + Self.weightOfWider * mean) / (count + Self.weightOfWider)
        }
        return mean
    }

    /// How much longer most such runs go on, three in four: by the narrowest kind that is known well enough. nil: nothing is known.
    func most(of kinds: [RunTimeKey], beyond age: Int64) -> Int64? {
        guard let row = kinds.lazy.compactMap({ rows[$0] }).first(where: { $0.histogram.total >= Self.runsKnown }) else { return nil }
        // What has outlasted all others will go on for as long again (Lindy).
        return row.histogram.length(reachedBy: 75, beyond: age, least: Self.longerRunsKnown).map { $0 - age } ?? age
    }
}

extension RunTimeTable {
    func write(to writer: inout CanonicalWriter) {
        writer.write(turn)
        let sorted = rows.sorted { $0.key < $1.key }
        writer.write(UInt64(sorted.count))
        for (key, row) in sorted {
            writer.write(key.size)
            for text in [key.tenant, key.project, key.user, key.pattern] { writer.write(text) }
            writer.write(row.learned)
            writer.write(row.histogram)
        }
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        turn = try reader.readUInt64()
        for _ in 0..<(try reader.readCount()) {
            let key = RunTimeKey(
                size: try reader.readInt64(), tenant: try reader.readString(), project: try reader.readString(),
                user: try reader.readString(), pattern: try reader.readString())
            let learned = try reader.readUInt64()
            rows[key] = Row(histogram: try reader.read(), learned: learned)
        }
    }
}

extension RunTimeKey: Comparable {
    static func < (left: RunTimeKey, right: RunTimeKey) -> Bool {
        (left.size, left.tenant, left.project, left.user, left.pattern)
            < (right.size, right.tenant, right.project, right.user, right.pattern)
    }
}
