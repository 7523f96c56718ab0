// The files of jobs, by content (Protocols/files.md).

public import ClusterModel

/// Keeps content under its digest. For a tenant, a digest exists only when that tenant has brought the whole content,
/// whatever other tenants have brought; underneath, equal content is kept once.
public protocol FileStore: Sendable {
    /// How much of the content the tenant has brought. Counts as a use of it.
    func standing(of digest: ContentDigest, tenant: String) async throws(FileStoreError) -> UploadStanding
    /// Takes content, or the part of it from `offset` on, until `next` gives nil. What has arrived when `next` throws is
    /// kept, and can be resumed.
    ///
    /// - Parameter total: bytes of the whole content.
    /// - Returns: `.whole` when nothing is missing any more and the digest is right.
    func receive(
        _ digest: ContentDigest, tenant: String, from offset: Int64, total: Int64, next: @Sendable () async throws -> [UInt8]?
    ) async throws(FileStoreError) -> UploadStanding
    /// Keeps a tree when all its contents are there; otherwise names those that are not. What is kept is on disk.
    func keepTree(_ digest: ContentDigest, tenant: String, text: [UInt8]) async throws(FileStoreError) -> [ContentDigest]
    /// nil: the tenant has no such tree.
    func tree(_ digest: ContentDigest, tenant: String) async throws(FileStoreError) -> FileTree?
    /// A file of this machine that holds the content and never changes; nil: the tenant has no such content.
    func location(of digest: ContentDigest, tenant: String) async throws(FileStoreError) -> (path: String, size: Int64)?
    /// Notes what an attempt has left behind: a tree that is kept. The last word of an attempt counts.
    func keepOutputs(_ tree: ContentDigest, of attempt: AttemptID, tenant: String) async throws(FileStoreError)
    /// The last attempt of each task that has left something behind, in order of the tasks.
    func outputs(of job: JobID, tenant: String) async throws(FileStoreError) -> [(attempt: AttemptID, tree: ContentDigest)]
}

public enum UploadStanding: Hashable, Sendable {
    case whole(size: Int64)
    /// So many bytes from the start are there; 0: none.
    case partial(size: Int64)
}

public struct FileStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The part does not begin where what is there ends.
        case offset(expected: Int64)
        /// What arrived is other content; it was thrown away.
        case digest
        /// More or less than was announced, or more than can be taken.
        case size
        /// No tree, or not what its digest says.
        case tree
        /// Another upload of the same content is under way.
        case busy
        /// The disk has no room to spare.
        case full
        /// The sender broke off; what arrived is kept.
        case interrupted
        case io
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
