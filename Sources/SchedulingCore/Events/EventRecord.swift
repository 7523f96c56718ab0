// How the events of one batch stand in the journal (Protocols/journal.md, "Records").
//
//   level     u8        form of everything between this byte and the checksum
//   index     unsigned  the batch's index, so that a record in a wrong place is noticed
//   at        signed    the batch's instant, nanoseconds since 1970
//   count     unsigned  events
//   events    bytes     their canonical bytes, one after the other
//   checksum  4 bytes   CRC-32C of all bytes before it, least significant byte first
//
// First byte and last four bytes mean the same at every level: a damaged record is never taken for one of a newer
// release, nor the other way round.

public import ClusterModel

/// The events of one batch, framed.
public struct EventRecord: Hashable, Sendable {
    /// The level that this build writes, and the newest that it reads.
    public static let currentLevel: UInt8 = 1

    /// What stands before the events.
    public struct Header: Hashable, Sendable {
        public var index: UInt64
        public var at: LogicalTime
        public var eventCount: UInt64
    }

    public var index: UInt64
    public var at: LogicalTime
    public var events: [Event]

    public init(index: UInt64, at: LogicalTime, events: [Event]) {
        self.index = index
        self.at = at
        self.events = events
    }

    private static let checksumSize = 4
    /// Level, index, instant, count, length of no events, checksum.
    private static let sizeMin = 5 + checksumSize

    public var bytes: [UInt8] {
        var payload = CanonicalWriter(reservingCapacity: events.count * 48)
        for event in events { payload.write(event) }
        var writer = CanonicalWriter(reservingCapacity: payload.bytes.count + 32)
        writer.write(Self.currentLevel)
        writer.write(index)
        writer.write(at)
        writer.write(UInt64(events.count))
        writer.write(bytes: payload.bytes)
        let checksum = CRC32C.checksum(of: writer.bytes)
        for shift in stride(from: 0, to: 32, by: 8) { writer.write(UInt8(truncatingIfNeeded: checksum >> UInt32(shift))) }
        return writer.bytes
    }

    /// Reads the record of batch `index`.
    public init(bytes: [UInt8], expecting index: UInt64) throws(EventRecordError) {
        let (header, payload) = try Self.open(bytes, expecting: index)
        // An event has at least its tag and its version.
        guard header.eventCount <= UInt64(payload.count / 2) else {
            throw .count(stated: header.eventCount, payloadBytes: payload.count)
        }
        var reader = CanonicalReader(payload)
        var events: [Event] = []
        events.reserveCapacity(Int(header.eventCount))
        for position in 0..<Int(header.eventCount) {
            do throws(CanonicalError) {
                events.append(try Event(from: &reader))
            } catch {
                throw .event(position: position, error)
            }
        }
        guard reader.remaining == 0 else { throw .count(stated: header.eventCount, payloadBytes: payload.count) }
        self.init(index: header.index, at: header.at, events: events)
    }

    /// The header of a sound record of batch `index`, without reading its events.
    public static func header(of bytes: [UInt8], expecting index: UInt64) throws(EventRecordError) -> Header {
        try open(bytes, expecting: index).header
    }

    private static func open(
        _ bytes: [UInt8], expecting index: UInt64
    ) throws(EventRecordError) -> (header: Header, payload: [UInt8]) {
        guard bytes.count >= sizeMin else { throw .tooShort(bytes: bytes.count) }
        let body = bytes[..<(bytes.count - checksumSize)]
        let stored = bytes[body.endIndex...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let computed = CRC32C.checksum(of: body)
        guard stored == computed else { throw .checksum(stored: stored, computed: computed) }
        guard bytes[0] == currentLevel else { throw .level(bytes[0]) }
        let header: Header
        let payload: [UInt8]
        do throws(CanonicalError) {
            var reader = CanonicalReader(Array(body.dropFirst()))
            header = Header(index: try reader.readUInt64(), at: try reader.read(), eventCount: try reader.readUInt64())
            payload = try reader.readBytes()
            try reader.finish()
        } catch {
            throw .header(error)
        }
        guard header.index == index else { throw .misplaced(index: header.index) }
        return (header, payload)
    }
}

/// Why bytes are not a record that this build can read. The description completes "… cannot be read: …".
public enum EventRecordError: Error, Equatable, Sendable, CustomStringConvertible {
    case tooShort(bytes: Int)
    /// The bytes are not those that were written.
    case checksum(stored: UInt32, computed: UInt32)
    /// Sound, and written by another release.
    case level(UInt8)
    case header(CanonicalError)
    /// The sound record of another batch.
    case misplaced(index: UInt64)
    /// More or fewer events than the header says.
    case count(stated: UInt64, payloadBytes: Int)
    /// The event at `position`, from 0: most likely a kind or version of a newer release.
    case event(position: Int, CanonicalError)

    public var description: String {
        switch self {
        case .tooShort(let bytes): "it has only \(bytes) bytes"
        case .checksum(let stored, let computed):
            "its bytes are damaged (checksum \(String(stored, radix: 16)), computed \(String(computed, radix: 16)))"
        case .level(let level): "it has format level \(level), this build reads level \(EventRecord.currentLevel)"
        case .header(let error): "its header is wrong (\(error))"
        case .misplaced(let index): "it is the record of batch \(index)"
        case .count(let stated, let bytes): "\(bytes) bytes of events are not the \(stated) events that its header states"
        case .event(let position, let error): "its event \(position) is wrong (\(error))"
        }
    }
}
