// Packets of the launcher's protocol (Protocols/launcher.md): commands written, events read. The structures are C's, in
// `launcher_protocol.h`.

internal import AgentCore
internal import CLinuxShim
internal import ClusterModel

extension suanpan_attempt {
    init(_ attempt: AttemptID) {
        self.init(job: attempt.task.job.value, index: attempt.task.index, number: attempt.number)
    }

    var identifier: AttemptID { AttemptID(job: JobID(job), index: index, number: number) }
}

/// Commands on their way into packets: a packet is closed when the next command does not fit.
struct CommandPackets {
    private(set) var packets: [[UInt8]] = []
    private var records: UInt16 = 0

    static let headerBytes = MemoryLayout<suanpan_packet_header>.size
    static let recordBytesMax = Int(SUANPAN_PACKET_BYTES_MAX) - headerBytes

    mutating func appendHello() {
        var record = suanpan_hello()
        record.header = Self.header(SUANPAN_HELLO, length: MemoryLayout<suanpan_hello>.size)
        append(record)
    }

    mutating func appendShutdownIfIdle() {
        var record = suanpan_shutdown_if_idle()
        record.header = Self.header(SUANPAN_SHUTDOWN_IF_IDLE, length: MemoryLayout<suanpan_shutdown_if_idle>.size)
        append(record)
    }

    mutating func appendLease(until instant: Int64) {
        var record = suanpan_hold_lease()
        record.header = Self.header(SUANPAN_HOLD_LEASE, length: MemoryLayout<suanpan_hold_lease>.size)
        record.until_ns = instant
        append(record)
    }

    mutating func appendSignal(_ attempt: AttemptID, _ signal: Int32) {
        var record = suanpan_signal()
        record.header = Self.header(SUANPAN_SIGNAL, length: MemoryLayout<suanpan_signal>.size)
        record.attempt = suanpan_attempt(attempt)
        record.signal = signal
        append(record)
    }

    mutating func appendAcknowledgement(_ attempt: AttemptID, _ stream: OutputStream) {
        var record = suanpan_ack_output()
        record.header = Self.header(SUANPAN_ACK_OUTPUT, length: MemoryLayout<suanpan_ack_output>.size)
        record.attempt = suanpan_attempt(attempt)
        record.stream = UInt32(stream.rawValue)
        append(record)
    }

    mutating func appendRelease(_ attempts: ArraySlice<AttemptID>) { append(attempts, SUANPAN_RELEASE) }
    mutating func appendWithdraw(_ attempts: ArraySlice<AttemptID>) { append(attempts, SUANPAN_WITHDRAW) }

    private mutating func append(_ attempts: ArraySlice<AttemptID>, _ kind: suanpan_record_kind) {
        let length = MemoryLayout<suanpan_attempt_list>.size + attempts.count * MemoryLayout<suanpan_attempt>.size
        var record = suanpan_attempt_list()
        record.header = Self.header(kind, length: length)
        record.count = UInt32(attempts.count)
        append(record, length: length) { bytes in
            for attempt in attempts { Self.appendBytes(of: suanpan_attempt(attempt), to: &bytes) }
        }
    }

    /// Attempts that fit in one list.
    static let listCountMax =
        (recordBytesMax - MemoryLayout<suanpan_attempt_list>.size) / MemoryLayout<suanpan_attempt>.size

    /// nil when the order was taken; else why the launcher's protocol cannot carry it.
    mutating func appendStart(_ order: LaunchOrder) -> String? {
        guard !order.command.isEmpty else { return "the command is empty" }
        guard order.note.count <= Int(SUANPAN_NOTE_BYTES_MAX) else { return "the note is longer than \(SUANPAN_NOTE_BYTES_MAX) bytes" }
        guard order.cpuMilli >= 0, order.memoryBytes >= 0, order.outputLimitBytes >= 0 else { return "a limit is negative" }
        var stringsBytes = 0
        for text in CollectionOfOne(order.workDirectory) + order.command + order.environment {
            guard !text.utf8.contains(0) else { return "a string holds a NUL byte" }
            stringsBytes += text.utf8.count + 1
        }
        let processors = ProcessorBits.bytes(of: order.processors)
        guard processors.count <= Int(SUANPAN_PROCESSORS_BYTES_MAX) else { return "a processor's number is too large" }
        let length = (MemoryLayout<suanpan_start>.size + stringsBytes + order.note.count + processors.count + 7) / 8 * 8
        guard length <= Self.recordBytesMax else { return "command and environment take \(length) bytes of \(Self.recordBytesMax)" }

        var record = suanpan_start()
        record.header = Self.header(SUANPAN_START, length: length)
        record.attempt = suanpan_attempt(order.attempt)
        record.fence = order.fence.value
        record.lane = order.slot.value
        record.cpu_milli = order.cpuMilli
        record.memory_bytes = order.memoryBytes
        record.output_limit_bytes = order.outputLimitBytes
        record.user_id = order.userID
        record.group_id = order.groupID
        record.argument_count = UInt32(order.command.count)
        record.environment_count = UInt32(order.environment.count)
        record.strings_bytes = UInt32(stringsBytes)
        record.note_bytes = UInt32(order.note.count)
        record.header.detail = UInt16(processors.count)
        record.make_directory = order.makesWorkDirectory ? 1 : 0
        record.depends_on_lease = order.dependsOnLease ? 1 : 0
        append(record, length: length) { bytes in
            for text in CollectionOfOne(order.workDirectory) + order.command + order.environment {
                bytes.append(contentsOf: text.utf8)
                bytes.append(0)
            }
            bytes.append(contentsOf: order.note)
            bytes.append(contentsOf: processors)
        }
        return nil
    }

    /// The finished packets, headers filled in.
    consuming func finished() -> [[UInt8]] {
        closePacket()
        return packets
    }

    // MARK: - Bytes

    private static func header(_ kind: suanpan_record_kind, length: Int) -> suanpan_record_header {
        suanpan_record_header(kind: UInt16(kind.rawValue), detail: 0, length: UInt32(length))
    }

    private static func appendBytes<Record: BitwiseCopyable>(of record: Record, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: record) { bytes.append(contentsOf: $0) }
    }

    private mutating func append<Record: BitwiseCopyable>(
        _ record: Record, length: Int = MemoryLayout<Record>.size, rest: (inout [UInt8]) -> Void = { _ in }
    ) {
        if records > 0, packets[packets.count - 1].count + length > Int(SUANPAN_PACKET_BYTES_MAX) || records == .max { closePacket() }
        if records == 0 { packets.append([UInt8](repeating: 0, count: Self.headerBytes)) }
        let last = packets.count - 1
        let end = packets[last].count + length
        Self.appendBytes(of: record, to: &packets[last])
        rest(&packets[last])
        // Zeros up to the next multiple of eight.
        packets[last].append(contentsOf: repeatElement(0, count: end - packets[last].count))
        records += 1
    }

    private mutating func closePacket() {
        guard records > 0 else { return }
        let last = packets.count - 1
        let header = suanpan_packet_header(
            version: UInt16(SUANPAN_LAUNCHER_VERSION), records: records, length: UInt32(packets[last].count))
        withUnsafeBytes(of: header) { packets[last].replaceSubrange(0..<Self.headerBytes, with: $0) }
        records = 0
    }
}

/// One event of the launcher.
enum LauncherEvent {
    case welcome(LauncherIsolation, processID: Int32)
    case known(RecoveredAttempt)
    case listed
    case started(AttemptID, processID: Int32, at: Int64)
    case ended(AttemptID, ProcessEnd, outputLost: Bool)
    case outputGrew(AttemptID, OutputStream, total: Int64)
    case refused(AttemptID, Fence, reason: UInt32, error: Int32)
    case goodbye(reason: UInt32)
}

/// Reads packets of events. nil for a packet that this version does not understand: its sender is not our launcher.
enum EventPackets {
    static func events(of packet: UnsafeRawBufferPointer) -> [LauncherEvent]? {
        guard let header: suanpan_packet_header = load(packet, at: 0), header.version == UInt16(SUANPAN_LAUNCHER_VERSION),
            Int(header.length) == packet.count
        else { return nil }
        var events: [LauncherEvent] = []
        events.reserveCapacity(Int(header.records))
        var at = MemoryLayout<suanpan_packet_header>.size
        while at < packet.count {
            guard let record: suanpan_record_header = load(packet, at: at), Int(record.length) >= MemoryLayout<suanpan_record_header>.size,
                at + Int(record.length) <= packet.count
            else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: packet[at..<at + Int(record.length)])
            guard let event = event(UInt32(record.kind), bytes) else { return nil }
            events.append(event)
            at += Int(record.length)
        }
        return events
    }

    private static func load<Value: BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Value? {
        guard offset + MemoryLayout<Value>.size <= bytes.count else { return nil }
        return bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    private static func event(_ kind: UInt32, _ bytes: UnsafeRawBufferPointer) -> LauncherEvent? {
        switch suanpan_record_kind(rawValue: kind) {
        case SUANPAN_WELCOME:
            guard let record: suanpan_welcome = load(bytes, at: 0), let isolation = LauncherIsolation(record) else { return nil }
            return .welcome(isolation, processID: record.process_id)
        case SUANPAN_KNOWN:
            return known(bytes).map { .known($0) }
        case SUANPAN_LISTED:
            return .listed
        case SUANPAN_STARTED:
            guard let record: suanpan_started = load(bytes, at: 0) else { return nil }
            return .started(record.attempt.identifier, processID: record.process_id, at: record.at_ns)
        case SUANPAN_ENDED:
            guard let record: suanpan_ended = load(bytes, at: 0), let end = ProcessEnd(record.end) else { return nil }
            return .ended(record.attempt.identifier, end, outputLost: record.end.flags & UInt32(SUANPAN_END_OUTPUT_LOST.rawValue) != 0)
        case SUANPAN_OUTPUT_GREW:
            guard let record: suanpan_output_grew = load(bytes, at: 0),
                let stream = UInt8(exactly: record.stream).flatMap(OutputStream.init)
            else { return nil }
            return .outputGrew(record.attempt.identifier, stream, total: record.total_bytes)
        case SUANPAN_REFUSED:
            guard let record: suanpan_refused = load(bytes, at: 0) else { return nil }
            return .refused(record.attempt.identifier, Fence(record.fence), reason: record.reason, error: record.error)
        case SUANPAN_GOODBYE:
            guard let record: suanpan_goodbye_record = load(bytes, at: 0) else { return nil }
            return .goodbye(reason: record.reason)
        default:
            return nil
        }
    }

    private static func known(_ bytes: UnsafeRawBufferPointer) -> RecoveredAttempt? {
        let headBytes = MemoryLayout<suanpan_known>.size
        guard let record: suanpan_known = load(bytes, at: 0), headBytes + Int(record.note_bytes) <= bytes.count else { return nil }
        var end: ProcessEnd?
        if record.end.manner != 0 {
            guard let known = ProcessEnd(record.end) else { return nil }
            end = known
        }
        return RecoveredAttempt(
            attempt: record.attempt.identifier, fence: Fence(record.fence), slot: Fence(record.lane),
            note: Array(bytes[headBytes..<headBytes + Int(record.note_bytes)]),
            startedAt: record.process_id == 0 && end == nil ? nil : record.end.started_ns, end: end)
    }
}
