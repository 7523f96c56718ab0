import AgentCore
import ClusterModel

/// What must be known of a staged attempt again when it has ended, perhaps by the agent's next process. Kept in the
/// agent's own directory, mode 0600: the pass is a secret.
struct StagingRecord: Hashable, Sendable {
    var attempt: AttemptID
    var fence: Fence
    var workDirectory: String
    var secretsDirectory: String
    var userID: UInt32
    var groupID: UInt32
    var outputs: [JobOutput]
    var pass: [UInt8]

    init(_ order: StageOrder) {
        attempt = order.attempt
        fence = order.fence
        workDirectory = order.workDirectory
        secretsDirectory = order.secretsDirectory
        userID = order.userID
        groupID = order.groupID
        outputs = order.outputs
        pass = order.pass
    }
}

extension StagingRecord: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(attempt)
        writer.write(fence)
        writer.write(workDirectory)
        writer.write(secretsDirectory)
        writer.write(userID)
        writer.write(groupID)
        writer.write(outputs)
        writer.write(bytes: pass)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        attempt = try reader.read()
        fence = try reader.read()
        workDirectory = try reader.readString()
        secretsDirectory = try reader.readString()
        userID = try reader.readUInt32()
        groupID = try reader.readUInt32()
        outputs = try reader.readList()
        pass = try reader.readBytes()
    }
}

/// Why files cannot be moved. `isLasting`: trying again would not help.
struct StagingError: Error, CustomStringConvertible {
    var message: String
    var isLasting: Bool

    init(_ message: String, isLasting: Bool = true) {
        self.message = message
        self.isLasting = isLasting
    }

    var description: String { message }
}
