import Glibc

/// Finds the project's other programs: beside this one, then in `../libexec/suanpan`, then on PATH.
struct ProgramSearch: Sendable {
    /// Directories in the order in which they are tried.
    let directories: [String]

    init(directories: [String]) { self.directories = directories }

    init(executable: String?, environment: [String: String]) {
        var directories: [String] = []
        if let executable, let slash = executable.lastIndex(of: "/") {
            let own = String(executable[..<slash])
            directories = [own, own + "/../libexec/suanpan"]
        }
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        directories += path.split(separator: ":").map(String.init)
        self.init(directories: directories)
    }

    static func process(environment: [String: String]) -> ProgramSearch {
        ProgramSearch(executable: ownExecutable(), environment: environment)
    }

    /// The running program's file, whatever it was called as.
    static func ownExecutable() -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink("/proc/self/exe", buffer.baseAddress!, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    func path(of program: String) throws(CommandFailure) -> String {
        for directory in directories {
            let path = "\(directory)/\(program)"
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 { return path }
        }
        throw CommandFailure(
            .failed, "\(program) is not installed", details: ["looked beside this program, in ../libexec/suanpan and on PATH"])
    }
}
