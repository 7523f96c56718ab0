/// How far the coordinator's state had come when it last spoke to a node.
///
/// The coordinator tells it with a proof that only it can make (`Welcome.stateMark`, `HeartbeatAck.stateMark`), and the node shows it at
/// its next registration: so a state that is a copy of an older time is found out, and no node can claim it of a state that is not.
public struct SeenState: Hashable, Sendable {
    public var epoch: Epoch
    /// Durable when it was told.
    public var revision: UInt64
    /// The node's own.
    public var session: SessionID

    public init(epoch: Epoch = Epoch(0), revision: UInt64 = 0, session: SessionID = SessionID(0)) {
        self.epoch = epoch
        self.revision = revision
        self.session = session
    }
}

extension SeenState: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(epoch)
        writer.write(revision)
        writer.write(session)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(epoch: try reader.read(), revision: try reader.readUInt64(), session: try reader.read())
    }
}
