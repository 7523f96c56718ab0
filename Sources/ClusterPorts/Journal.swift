public import ClusterModel
public import Metering
public import SchedulingCore

/// What one append makes durable, in one transaction: all of it or nothing.
public struct JournalBatch: Sendable {
    /// From 1 without gaps; the journal refuses any other.
    public var index: UInt64
    /// Events of the batch; the adapter frames them (Protocols/journal.md).
    public var events: [Event]
    public var rows: [RowChange]
    /// Usage records with their canonical bytes, numbered by the engine.
    public var usage: [(record: UsageRecord, bytes: [UInt8])]
    public var at: LogicalTime

    public init(index: UInt64, events: [Event], rows: [RowChange], usage: [(record: UsageRecord, bytes: [UInt8])], at: LogicalTime) {
        self.index = index
        self.events = events
        self.rows = rows
        self.usage = usage
        self.at = at
    }
}

/// What recovery reads: by the writer itself, or beside it.
public protocol JournalSource: Sendable {
    /// The newest snapshot, nil when there is none.
    func loadSnapshot() async throws(JournalError) -> JournalSnapshot?
    /// Batches after `index` up to and with `end`, in order, handed over one at a time.
    func replay(after index: UInt64, through end: UInt64, _ body: (UInt64, [Event]) throws -> Void) async throws(JournalError)
}

/// Where the events are kept. One writer.
public protocol Journal: JournalSource {
    /// Appends batches in order in one transaction and returns when they are durable.
    func append(_ batches: [JournalBatch]) async throws(JournalError)
    /// Highest index and time appended, and the end of the usage ledger.
    func head() async throws(JournalError) -> JournalHead
    /// Keeps a snapshot; records that it covers may be dropped from then on.
    func storeSnapshot(_ snapshot: JournalSnapshot) async throws(JournalError)
    func close() async
}

public struct JournalSnapshot: Sendable {
    /// The last batch that the state includes.
    public var index: UInt64
    /// Canonical bytes of the state.
    public var state: [UInt8]
    /// SHA-256 over `state`.
    public var digest: [UInt8]

    public init(index: UInt64, state: [UInt8], digest: [UInt8]) {
        self.index = index
        self.state = state
        self.digest = digest
    }
}

public struct JournalHead: Sendable {
    public var index: UInt64
    public var time: LogicalTime
    public var ledgerSequence: UInt64
    public var ledgerHash: [UInt8]

    public init(index: UInt64, time: LogicalTime, ledgerSequence: UInt64, ledgerHash: [UInt8]) {
        self.index = index
        self.time = time
        self.ledgerSequence = ledgerSequence
        self.ledgerHash = ledgerHash
    }
}

/// A failure of the journal; the code decides what the engine does.
public struct JournalError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        private enum Value { case locked, unreadable, full, io, order }
        private let value: Value
        /// Another coordinator has it open.
        public static let locked = Code(value: .locked)
        /// A record or the file itself cannot be read: the start stops, nothing is deleted.
        public static let unreadable = Code(value: .unreadable)
        /// No space: the same append may be tried again later.
        public static let full = Code(value: .full)
        /// The system refused; an append's outcome is unknown. Fatal, never retried.
        public static let io = Code(value: .io)
        /// The batch does not follow the last one.
        public static let order = Code(value: .order)
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
