// A directory by content. Its text form is what is uploaded and whose digest names it (Protocols/files.md, "Trees").

/// The files of a directory: paths, sizes, digests. Entries are in ascending order of their paths' bytes.
public struct FileTree: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            case file(ContentDigest, size: Int64, isExecutable: Bool)
            /// Only for one without entries of its own: others follow from the paths below them.
            case directory
            /// What the symbolic link says.
            case link(target: String)
        }

        public var path: String
        public var kind: Kind

        public init(path: String, kind: Kind) {
            self.path = path
            self.kind = kind
        }
    }

    public static let entriesMax = 1_000_000
    /// Of the text form.
    public static let bytesMax = 64 << 20
    /// Of one file: 1 TiB.
    public static let fileSizeMax: Int64 = 1 << 40
    private static let header = "suanpan-tree 1"

    public private(set) var entries: [Entry]

    /// Sorts the entries and refuses what is no tree: a path twice, a file that others lie below, a path that leaves it.
    public init(_ entries: [Entry]) throws(FileTreeError) {
        guard entries.count <= Self.entriesMax else { throw FileTreeError("a tree has at most \(Self.entriesMax) entries") }
        let sorted = entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        // Directories that other entries imply, so that a file in the place of one is seen.
        var leaves: Set<String> = []
        for entry in sorted {
            guard RelativePath.isValid(entry.path) else {
                throw FileTreeError("'\(entry.path.prefix(80))' must be \(RelativePath.grammar)")
            }
            if case .file(_, let size, _) = entry.kind, !(0...Self.fileSizeMax).contains(size) {
                throw FileTreeError("'\(entry.path.prefix(80))': a file has 0 … \(Self.fileSizeMax) bytes")
            }
            if case .link(let target) = entry.kind, target.isEmpty || target.utf8.count > RelativePath.bytesMax || target.utf8.contains(0) {
                throw FileTreeError("'\(entry.path.prefix(80))': a link needs a target of at most \(RelativePath.bytesMax) bytes")
            }
            guard leaves.insert(entry.path).inserted else { throw FileTreeError("'\(entry.path.prefix(80))' occurs twice") }
        }
        for entry in sorted {
            var path = Substring(entry.path)
            while let slash = path.lastIndex(of: "/") {
                path = path[..<slash]
                if leaves.contains(String(path)) { throw FileTreeError("'\(path.prefix(80))' is not a directory and has entries below it") }
            }
        }
        self.entries = sorted
    }

    /// The digests of its files, each once, with their sizes, in the order of the entries.
    public var contents: [(digest: ContentDigest, size: Int64)] {
        var seen: Set<ContentDigest> = []
        return entries.compactMap { entry in
            guard case .file(let digest, let size, _) = entry.kind, seen.insert(digest).inserted else { return nil }
            return (digest, size)
        }
    }

    /// Bytes of all files.
    public var size: Int64 {
        entries.reduce(0) { sum, entry in
            guard case .file(_, let size, _) = entry.kind else { return sum }
            return sum + size
        }
    }

    public subscript(path: String) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path.utf8.lexicographicallyPrecedes(path.utf8) { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].path == path ? entries[low] : nil
    }

    // MARK: - Text

    /// One line an entry after the header, every line ended by a line feed.
    public var text: [UInt8] {
        var bytes = Array(Self.header.utf8) + [0x0A]
        for entry in entries {
            switch entry.kind {
            case .file(let digest, let size, let isExecutable):
                bytes += "\(isExecutable ? "x" : "f") \(size) \(digest.text) ".utf8
            case .directory: bytes += "d ".utf8
            case .link(let target):
                bytes += "l ".utf8
                Self.escape(target, into: &bytes)
                bytes.append(0x20)
            }
            Self.escape(entry.path, into: &bytes)
            bytes.append(0x0A)
        }
        return bytes
    }

    public init(parsing text: [UInt8]) throws(FileTreeError) {
        guard text.count <= Self.bytesMax else { throw FileTreeError("a tree has at most \(Self.bytesMax) bytes") }
        guard text.last == 0x0A else { throw FileTreeError("the last line is not whole") }
        let lines = text.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard let first = lines.first, first.elementsEqual(Self.header.utf8) else {
            throw FileTreeError("the first line is not '\(Self.header)'")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(lines.count - 1)
        for (number, line) in lines.enumerated().dropFirst() {
            guard let entry = Self.entry(line) else { throw FileTreeError("line \(number + 1) is not an entry") }
            entries.append(entry)
        }
        try self.init(entries)
        // One tree, one text, one digest.
        guard self.text == text else { throw FileTreeError("the entries are not in order, or not in their shortest form") }
    }

    private static func entry(_ line: ArraySlice<UInt8>) -> Entry? {
        let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard let kind = fields.first, kind.count == 1, let last = fields.last, let path = unescaped(last) else { return nil }
        switch (kind[kind.startIndex], fields.count) {
        case (UInt8(ascii: "d"), 2): return Entry(path: path, kind: .directory)
        case (UInt8(ascii: "l"), 3): return unescaped(fields[1]).map { Entry(path: path, kind: .link(target: $0)) }
        case (UInt8(ascii: "f"), 4), (UInt8(ascii: "x"), 4):
            guard let size = Int64(String(decoding: fields[1], as: UTF8.self)),
                let digest = ContentDigest(parsing: String(decoding: fields[2], as: UTF8.self))
            else { return nil }
            return Entry(path: path, kind: .file(digest, size: size, isExecutable: kind[kind.startIndex] == UInt8(ascii: "x")))
        default: return nil
        }
    }

    /// Bytes that would end a field or a line, and `%` itself, as `%` and two digits (RFC 3986, 2.1).
    private static func escape(_ text: String, into bytes: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "%") {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                bytes.append(byte)
            }
        }
    }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.count)
        var position = field.startIndex
        while position < field.endIndex {
            guard field[position] == UInt8(ascii: "%") else {
                bytes.append(field[position])
                position += 1
                continue
            }
            guard position + 2 < field.endIndex,
                let byte = UInt8(String(decoding: field[position + 1...position + 2], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(byte)
            position += 3
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// Why something is no tree, for people.
public struct FileTreeError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
