/// What `doctor` looks at on a machine: values only, so that what follows from them can be tested.
struct HostDescription: Hashable, Sendable {
    enum ControlGroups: Hashable, Sendable {
        case none
        case version1
        /// Controllers at the root; whether this process may make groups below its own, or is told nothing (root).
        case version2(controllers: [String], isWritable: Bool)
    }

    struct Directory: Hashable, Sendable {
        var path: String
        /// Why it cannot be used; nil when it can.
        var error: String?
        var isThere = true
        var mode: UInt32 = 0o711
        var owner: UInt32 = 0
        var freeBytes: Int64 = .max
        /// nil where the file system has no fixed number.
        var freeFiles: Int64?
        var secrets: [Secret] = []
    }

    /// A file that only its owner may read.
    struct Secret: Hashable, Sendable {
        var path: String
        var mode: UInt32
        var owner: UInt32
    }

    /// What a daemon says of its settings; nil when they are right.
    struct Settings: Hashable, Sendable {
        var path: String
        var complaint: String?
    }

    struct Port: Hashable, Sendable {
        var number: UInt16
        var purpose: String
        /// nil when nobody listens; empty when it is not ours to see.
        var holder: String?
    }

    struct Unit: Hashable, Sendable {
        var name: String
        /// As systemd names it: `active`, `inactive`, `failed`, …
        var state: String
        var isEnabled: Bool
    }

    var userID: UInt32 = 0
    /// Programs by name, with where they are.
    var programs: [String: String?] = [:]
    var kernel = ""
    var controlGroups = ControlGroups.none
    var directories: [Directory] = []
    var openFilesMax: UInt64 = 0
    /// nil when the kernel does not tell.
    var isClockSynchronised: Bool?
    /// Shared libraries by file name, and whether they load.
    var libraries: [String: Bool] = [:]
    var settings: [Settings] = []
    var ports: [Port] = []
    /// nil when systemd does not run.
    var units: [Unit]?
}
