extension AttemptEnd: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(cause)
        writer.write(exitCode)
        writer.write(signal)
        writer.write(elapsed)
        writer.write(cpuTime)
        writer.write(memoryPeakBytes)
        writer.write(stdoutBytes)
        writer.write(stderrBytes)
        writer.write(droppedBytes)
        writer.write(detail)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            cause: try reader.read(), exitCode: try reader.readInt32(), signal: try reader.readInt32(), elapsed: try reader.read(),
            cpuTime: try reader.read(), memoryPeakBytes: try reader.readInt64(), stdoutBytes: try reader.readInt64(),
            stderrBytes: try reader.readInt64(), droppedBytes: try reader.readInt64(), detail: try reader.readString())
    }
}

extension UserAccount: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(userID)
        writer.write(groupID)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(userID: try reader.readUInt32(), groupID: try reader.readUInt32())
    }
}
