// What a job brings along and what it leaves behind (Protocols/files.md).

/// Files that are put into a task's work directory before it starts.
public struct JobInput: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        /// A tree that the tenant has uploaded.
        case tree(ContentDigest)
        /// A version of a data set; the tree was found when the job was submitted.
        case dataset(name: String, version: String, tree: ContentDigest)
        /// `https://`, `http://` or `s3://` (`ObjectAddress`), fetched by the node; without a digest whatever is there then.
        case url(String, ContentDigest?)
    }

    public var source: Source
    /// Below the work directory; empty for the directory itself.
    public var path: String

    public init(source: Source, path: String) {
        self.source = source
        self.path = path
    }

    /// The tree that has to be there when a node asks.
    public var tree: ContentDigest? {
        switch source {
        case .tree(let digest), .dataset(_, _, let digest): digest
        case .url: nil
        }
    }
}

/// Files that are kept with the job after a task has ended.
public struct JobOutput: Hashable, Sendable {
    /// Below the work directory; empty for the directory itself.
    public var path: String
    /// Where it stands among the job's files, empty for their top; or an `ObjectAddress`.
    public var destination: String

    public init(path: String, destination: String) {
        self.path = path
        self.destination = destination
    }
}

extension JobInput: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        switch source {
        case .tree(let digest):
            writer.write(UInt8(1))
            writer.write(digest)
        case .dataset(let name, let version, let digest):
            writer.write(UInt8(2))
            writer.write(name)
            writer.write(version)
            writer.write(digest)
        case .url(let text, let digest):
            writer.write(UInt8(3))
            writer.write(text)
            writer.write(digest)
        }
        writer.write(path)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let source: Source
        switch try reader.readUInt8() {
        case 1: source = .tree(try reader.read())
        case 2: source = .dataset(name: try reader.readString(), version: try reader.readString(), tree: try reader.read())
        case 3: source = .url(try reader.readString(), try reader.readOptional())
        case let other: throw .malformed("unknown source \(other)")
        }
        self.init(source: source, path: try reader.readString())
    }
}

extension JobOutput: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(path)
        writer.write(destination)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(path: try reader.readString(), destination: try reader.readString())
    }
}

/// A secret of the tenant that a task is given when it starts.
public struct JobSecret: Hashable, Sendable {
    public var name: String
    /// The environment variable that holds it; empty for a file of the secret's name in `SUANPAN_SECRETS_DIR`.
    public var variable: String

    public init(name: String, variable: String = "") {
        self.name = name
        self.variable = variable
    }
}

extension JobSecret: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(variable)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(name: try reader.readString(), variable: try reader.readString())
    }
}
