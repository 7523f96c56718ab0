// Typed identifiers. All are issued by counters in the scheduler's state, never reused, so that replay issues the
// same ones. Their decimal spelling is part of the interface: job `12`, task `12.3`, attempt `12.3.1`.

/// A number issued by a counter of the scheduler's state.
public protocol CountedIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    var value: UInt64 { get }
    init(_ value: UInt64)
}

extension CountedIdentifier {
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// A job, numbered from 1 in order of acceptance.
public struct JobID: CountedIdentifier {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// A node, numbered from 1 in order of enrolment.
public struct NodeID: CountedIdentifier {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// An interned request shape; see `RequestClass`.
public struct RequestClassID: CountedIdentifier {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// Rises with every grant of the cluster; a receiver refuses an older one (lease design: a lease never proves
/// exclusion, a fence does).
public struct Fence: CountedIdentifier {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// Rises with every leadership of a coordinator.
public struct Epoch: CountedIdentifier {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// Rises with every registration of an agent; commands of an older session are ignored.
public struct SessionID: CountedIdentifier {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// One process group of a job: `<job>.<index>`, where `index = unit × gang size + rank`.
public struct TaskID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let job: JobID
    public let index: UInt32

    public init(job: JobID, index: UInt32) {
        self.job = job
        self.index = index
    }

    public static func < (left: TaskID, right: TaskID) -> Bool {
        left.job == right.job ? left.index < right.index : left.job < right.job
    }

    public var description: String { "\(job).\(index)" }
}

/// One try at a task: `<job>.<index>.<number>`, numbers from 1.
public struct AttemptID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let task: TaskID
    public let number: UInt32

    public init(task: TaskID, number: UInt32) {
        self.task = task
        self.number = number
    }

    public init(job: JobID, index: UInt32, number: UInt32) {
        self.init(task: TaskID(job: job, index: index), number: number)
    }

    public static func < (left: AttemptID, right: AttemptID) -> Bool {
        left.task == right.task ? left.number < right.number : left.task < right.task
    }

    public var description: String { "\(task).\(number)" }
}

extension JobID {
    /// Parses `<n>`; nil for anything else, signs and leading zeros included.
    public init?(parsing text: some StringProtocol) {
        guard let value = UInt64(strictDecimal: text), value > 0 else { return nil }
        self.init(value)
    }
}

extension TaskID {
    /// Parses `<n>.<index>`.
    public init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let job = JobID(parsing: parts[0]), let index = UInt32(strictDecimal: parts[1]) else {
            return nil
        }
        self.init(job: job, index: index)
    }
}

extension AttemptID {
    /// Parses `<n>.<index>.<k>`.
    public init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let job = JobID(parsing: parts[0]), let index = UInt32(strictDecimal: parts[1]),
            let number = UInt32(strictDecimal: parts[2]), number > 0
        else { return nil }
        self.init(job: job, index: index, number: number)
    }
}

extension FixedWidthInteger {
    /// Digits only, no sign and no leading zero: one spelling for each number.
    init?(strictDecimal text: some StringProtocol) {
        guard let first = text.utf8.first, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        guard first != 0x30 || text.utf8.count == 1 else { return nil }
        self.init(text, radix: 10)
    }
}
