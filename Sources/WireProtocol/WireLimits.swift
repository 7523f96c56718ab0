/// Bounds of every message (Protocols/wire.md, "Limits"). They are about shape and memory; whether a value makes sense is
/// for the cores to judge, which can answer, where the wire can only drop.
public enum WireLimits {
    /// A frame of the control and the log socket.
    public static let frameBytesMax = 1 << 20
    /// A frame of the enrolment socket.
    public static let enrollmentBytesMax = 4096
    /// Messages of one frame.
    public static let messagesPerFrameMax = 4096
    /// Frames are joined up to this size: large enough to amortise the system calls, small enough not to delay what follows.
    public static let joinedBytesMax = 64 << 10
    /// Frames are joined up to this number of messages.
    public static let joinedMessagesMax = 1024
    /// Bytes of output in one chunk.
    public static let chunkBytesMax = 64 << 10
    /// Bytes of one stream that an agent may have sent and not seen acknowledged.
    public static let streamCreditBytes: Int64 = 256 << 10

    static let attemptsMax = 65_536
    static let startsMax = 4096
    static let devicesMax = 4096
    static let labelsMax = 1024
    static let numaNodesMax = 1024
    static let processorsMax = 2048
    static let argumentsMax = 65_536
    static let variablesMax = 8192
    static let gangNodesMax = 4096
    static let nameBytesMax = 253
    static let textBytesMax = 1024
    static let pathBytesMax = 4096
    static let passBytesMax = 64
    static let stateMarkBytesMax = 64
    static let filePlacesMax = 64
    /// PEM of one certificate.
    static let certificateBytesMax = 16 << 10
    static let detailBytesMax = 256
    static let topologyBytesMax = 768 << 10
    static let exitCodeMax: UInt32 = 255
    static let signalMax: UInt32 = 127
    static let portMax: UInt32 = 65_535
    static let digestBytes = 32
    static let bootIDBytes = 16
}
