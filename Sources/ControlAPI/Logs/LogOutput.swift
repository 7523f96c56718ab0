import Hummingbird
import NIOCore

/// Lays output of tasks out as one text. Holds nothing back: what a line lacks is read again with the rest.
struct LogOutput {
    private var writer: any ResponseBodyWriter
    private let isPrefixed: Bool
    /// The last byte sent, so that our own lines begin at a line's start.
    private var last = UInt8(ascii: "\n")

    init(_ writer: any ResponseBodyWriter, isPrefixed: Bool) {
        self.writer = writer
        self.isPrefixed = isPrefixed
    }

    /// Sends what can be sent of bytes just read and returns how many those are. Several tasks share the text line by
    /// line, so an unfinished line waits, unless it fills what a read gives or nothing follows it.
    @concurrent
    mutating func send(_ bytes: [UInt8], of task: UInt32, mustSendAll: Bool) async throws -> Int {
        guard !bytes.isEmpty else { return 0 }
        guard isPrefixed else {
            last = bytes[bytes.count - 1]
            try await writer.write(ByteBuffer(bytes: bytes))
            return bytes.count
        }
        let newline = UInt8(ascii: "\n")
        let whole = mustSendAll ? bytes[...] : bytes[..<(bytes.lastIndex(of: newline).map { $0 + 1 } ?? 0)]
        guard !whole.isEmpty else { return 0 }
        var buffer = ByteBufferAllocator().buffer(capacity: whole.count + 64)
        for line in whole.split(separator: newline, omittingEmptySubsequences: false).dropLast(whole.last == newline ? 1 : 0) {
            buffer.writeString("\(task)| ")
            buffer.writeBytes(line)
            buffer.writeInteger(newline)
        }
        try await writer.write(buffer)
        return whole.count
    }

    /// Says that output is missing here.
    @concurrent
    mutating func sendDropped(_ count: Int64, of task: UInt32) async throws {
        var line = last == UInt8(ascii: "\n") ? "" : "\n"
        if isPrefixed { line += "\(task)| " }
        line += "[suanpan: \(count) bytes of output were dropped]\n"
        last = UInt8(ascii: "\n")
        try await writer.write(ByteBuffer(string: line))
    }
}
