/// Paths below a directory that somebody else owns: no part of them leads out of it.
public enum RelativePath {
    /// Bytes of a path, as PATH_MAX of Linux has it, with room for the directory before it.
    public static let bytesMax = 3072
    /// NAME_MAX of Linux.
    public static let nameBytesMax = 255
    public static let grammar = "a relative path of names without '.', '..' or empty ones, at most \(bytesMax) bytes"

    /// A path of at least one name.
    public static func isValid(_ path: String) -> Bool {
        guard (1...bytesMax).contains(path.utf8.count), !path.utf8.contains(0) else { return false }
        return path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { name in
            (1...nameBytesMax).contains(name.count) && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
        }
    }

    /// As people write it: `./a//b/` is `a/b`, and the directory itself is empty. nil for a path that leaves it.
    public static func normalized(_ text: String) -> String? {
        guard !text.hasPrefix("/") else { return nil }
        let path = text.split(separator: "/", omittingEmptySubsequences: true).filter { $0 != "." }.joined(separator: "/")
        return path.isEmpty || isValid(path) ? path : nil
    }

    /// `path` below `directory`, either of which may be empty.
    public static func join(_ directory: String, _ path: String) -> String {
        if directory.isEmpty { return path }
        return path.isEmpty ? directory : directory + "/" + path
    }
}
