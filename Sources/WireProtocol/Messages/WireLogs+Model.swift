internal import ClusterModel
internal import FoundationEssentials

extension WireLogChunk {
    init(_ chunk: LogChunk) {
        self.init()
        job = chunk.attempt.task.job.value
        index = chunk.attempt.task.index
        number = chunk.attempt.number
        stream = UInt32(chunk.stream)
        offset = UInt64(amount: chunk.offset)
        bytes = Data(chunk.bytes)
        isLast = chunk.isLast
    }

    func checked() throws(WireError) -> LogChunk {
        try WireProtocol.checked(count: bytes.count, max: WireLimits.chunkBytesMax, "bytes")
        let first: Int64 = try WireProtocol.checked(offset, "offset")
        guard first <= .max - Int64(bytes.count) else { throw .outOfRange("offset") }
        return LogChunk(
            attempt: try attempt(job: job, index: index, number: number), stream: try checkedStream(stream), offset: first,
            bytes: [UInt8](bytes), isLast: isLast)
    }
}

extension WireLogAck {
    init(_ ack: LogAck) {
        self.init()
        job = ack.attempt.task.job.value
        index = ack.attempt.task.index
        number = ack.attempt.number
        stream = UInt32(ack.stream)
        offset = UInt64(amount: ack.offset)
        isComplete = ack.isComplete
    }

    func checked() throws(WireError) -> LogAck {
        LogAck(
            attempt: try attempt(job: job, index: index, number: number), stream: try checkedStream(stream),
            offset: try WireProtocol.checked(offset, "offset"), isComplete: isComplete)
    }
}

/// 1 standard output, 2 standard error.
private func checkedStream(_ stream: UInt32) throws(WireError) -> UInt8 {
    guard stream == 1 || stream == 2 else { throw .outOfRange("stream") }
    return UInt8(stream)
}
