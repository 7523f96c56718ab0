import ClusterModel
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [("2", 2000), ("0.5", 500), ("500m", 500), ("1.25", 1250), ("0", 0)] as [(String, Int64)])
    func coresAreMilliCores(text: String, milli: Int64) throws {
        #expect(try Quantity.cpuMilli(text) == milli)
    }

    @Test(arguments: ["-1", "1Q", "", "m", "1.0001", "1e3", "０", "99999999999999999999"]) func badCoresNameWhatIsValid(text: String) {
        #expect(throws: QuantityError(text: text, expected: Quantity.cpuForms)) { try Quantity.cpuMilli(text) }
    }

    @Test(
        arguments: [("512MiB", 512 << 20), ("4Gi", 4 << 30), ("2G", 2_000_000_000), ("1.5KiB", 1536), ("7", 7), ("7B", 7)]
            as [(String, Int64)])
    func bytes(text: String, count: Int64) throws {
        #expect(try Quantity.bytes(text) == count)
    }

    @Test(arguments: ["1XiB", "-4GiB", "GiB", "1.5", "9999999PiB"]) func badBytes(text: String) {
        #expect(throws: QuantityError(text: text, expected: Quantity.byteForms)) { try Quantity.bytes(text) }
    }

    @Test(arguments: [("90", 90), ("30s", 30), ("2h", 7200), ("1d12h30m", 131_400)] as [(String, Int64)])
    func durations(text: String, seconds: Int64) throws {
        #expect(try Quantity.span(text) == .seconds(seconds))
    }

    @Test(arguments: ["h", "1m1h", "5", "-1s", "1s1s"].filter { $0 != "5" }) func badDurations(text: String) {
        #expect(throws: QuantityError(text: text, expected: Quantity.spanForms)) { try Quantity.span(text) }
    }

    @Test func identifiersHaveOneSpelling() {
        #expect(AttemptID(parsing: "12.3.1") == AttemptID(job: JobID(12), index: 3, number: 1))
        for text in ["0", "01", "+1", "1.", "1.2.0", "1.02.1", " 1", "1.2.3.4"] {
            #expect(JobID(parsing: text) == nil && AttemptID(parsing: text) == nil, "\(text)")
        }
    }

    @Test func arrays() throws {
        #expect(try ArrayRange(parsing: "0-999%50") == ArrayRange(first: 0, last: 999, concurrencyLimit: 50))
        for text in ["5", "9-1", "0-1%0", "0-1%", "a-b"] {
            #expect(throws: QuantityError.self, "\(text)") { try ArrayRange(parsing: text) }
        }
    }
}

@Suite struct IntervalSetTests {
    /// Against a plain set, under random insertions and removals.
    @Test(arguments: UInt64(1)...20) func behavesAsASet(seed: UInt64) throws {
        var state = seed
        func draw(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var intervals = IntervalSet()
        var plain: Set<UInt64> = []
        for _ in 0..<600 {
            let value = draw(60)
            if draw(2) == 0 {
                #expect(intervals.insert(value) == plain.insert(value).inserted)
            } else {
                #expect(intervals.remove(value) == (plain.remove(value) != nil))
            }
            #expect(intervals.count == UInt64(plain.count))
            #expect(intervals.first == plain.min())
            #expect((0..<60).allSatisfy { intervals.contains($0) == plain.contains($0) })
        }
        #expect(try IntervalSet(canonicalBytes: intervals.canonicalBytes) == intervals)
        let gaps = zip(intervals.intervals, intervals.intervals.dropFirst())
        #expect(gaps.allSatisfy { $0.last + 1 < $1.first }, "disjoint and not adjacent")
    }

    @Test func aMillionConsecutiveNumbersAreOneInterval() {
        let set = IntervalSet(first: 0, last: 999_999)
        #expect(set.intervals.count == 1 && set.count == 1_000_000)
    }
}

@Suite struct CanonicalEncodingTests {
    @Test func aNumberHasOneForm() throws {
        #expect(throws: CanonicalError.malformed("number not in its shortest form")) { try UInt64(canonicalBytes: [0x80, 0x00]) }
        #expect(try Int64(canonicalBytes: Int64.min.canonicalBytes) == .min)
        #expect(throws: CanonicalError.trailing(1)) { try UInt64(canonicalBytes: [1, 1]) }
        #expect(throws: CanonicalError.truncated) { try UInt64(canonicalBytes: [0x80]) }
    }

    @Test func aCountNeverPromisesMoreThanThereIs() {
        var writer = CanonicalWriter()
        writer.write(UInt64.max)
        #expect(throws: CanonicalError.self) { try String(canonicalBytes: writer.bytes) }
    }

    @Test func aJobRoundTrips() throws {
        let job = JobSpecification(
            name: "digits", kind: .training, priority: -5,
            groups: [
                TaskGroup(
                    name: "worker", count: 2, resources: ResourceRequest(devices: DeviceRequest(kind: .gpu, count: 1, shareMilli: 250)),
                    constraints: [Constraint(key: "zone", comparison: .equals, value: "a")], command: ["python3", "train.py"],
                    environment: [SealedVariable(name: "LR", sealedValue: [1, 2, 3])], workDirectory: "/srv")
            ], array: ArrayRange(first: 3, last: 9), dependencies: [Dependency(job: JobID(4), condition: .ok)],
            beginAt: LogicalTime(nanoseconds: 5), timeLimit: .seconds(60), labels: [NamedText("b", "2"), NamedText("a", "1")])
        #expect(try JobSpecification(canonicalBytes: job.canonicalBytes) == job)
        #expect(job.labels.map(\.name) == ["a", "b"])
    }
}

@Suite struct JobValidationTests {
    private let valid = JobSpecification(name: "job", groups: [TaskGroup(name: "main", command: ["true"])])

    @Test func aPlainJobIsValid() { #expect(valid.validate().isEmpty) }

    @Test func everyErrorNamesItsField() {
        var job = valid
        job.name = "Bad Name"
        job.priority = 1001
        job.groups[0].command = []
        job.groups[0].resources.cpuMilli = 0
        job.retry.causes = [.user]
        let fields = job.validate().map(\.field)
        #expect(fields == ["name", "priority", "groups[0].resources.cpu", "groups[0].command", "retry.on"])
    }

    @Test func aJobHasABoundedNumberOfTasks() {
        var job = valid
        job.array = ArrayRange(first: 0, last: 10_000_000)
        #expect(job.validate().map(\.field) == ["array"])
        job.array = ArrayRange(first: 0, last: .max)
        job.groups = (0..<64).map { TaskGroup(name: "g\($0)", count: .max, command: ["true"]) }
        #expect(job.validate().map(\.field) == ["groups", "array"], "no overflow")
    }
}
