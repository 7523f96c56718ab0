/// The room that the journal has on its disk, and ballast that can be given up for it: a disk that others have filled must not
/// keep what has ended from being written down.
public protocol JournalSpace: Sendable {
    /// For users other than root; nil when it cannot be told.
    var bytesFree: Int64? { get }
    /// Gives the ballast's room back to the disk. False when there was none.
    func releaseBallast() -> Bool
    /// Takes the room again. Nothing happens when it is taken, or when there is not enough.
    func takeBallast()
}

/// For stores that are not bounded by a disk of this machine.
public struct UnboundedSpace: JournalSpace {
    public init() {}
    public var bytesFree: Int64? { nil }
    public func releaseBallast() -> Bool { false }
    public func takeBallast() {}
}
