// Where the coordinator is and with which key to talk to it.

import Glibc

/// A coordinator's address and the caller's key.
struct ClientConfiguration: Hashable, Sendable {
    /// Without a slash at its end.
    var url: String
    var key: String?
    /// PEM file with the certificates to trust instead of the system's; nil trusts the system's.
    var certificateFile: String?

    init(url: String, key: String?, certificateFile: String? = nil) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.key = key
        self.certificateFile = certificateFile
    }

    /// `--data-dir` before the environment, the environment before the file in the default place.
    static func resolve(dataDirectory: String?, environment: [String: String]) throws(CommandFailure) -> ClientConfiguration {
        let key = environment["SUANPAN_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        let certificateFile = environment["SUANPAN_CA_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        if dataDirectory == nil, let url = environment["SUANPAN_URL"], !url.isEmpty {
            guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
                throw CommandFailure(.usage, "SUANPAN_URL is '\(url)'", details: ["expected http://HOST:PORT or https://HOST:PORT"])
            }
            return ClientConfiguration(url: url, key: key, certificateFile: certificateFile)
        }
        let directory = DataDirectory.resolve(option: dataDirectory, environment: environment)
        var configuration = try read(file: directory + "/client.yaml")
        if let key { configuration.key = key }
        if let certificateFile { configuration.certificateFile = certificateFile }
        return configuration
    }

    /// Reads `client.yaml`; a file that others can read is refused, since it holds a key.
    static func read(file: String) throws(CommandFailure) -> ClientConfiguration {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let problem = errno
            if problem == ENOENT || problem == ENOTDIR {
                throw CommandFailure(
                    .unreachable, "no coordinator is known: SUANPAN_URL is not set and there is no \(file)",
                    remedy: "start one here with `suanpan up`, or set SUANPAN_URL and SUANPAN_API_KEY")
            }
            throw CommandFailure(.notAllowed, "\(file): \(SystemError.text(problem))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw CommandFailure(
                .notAllowed, "\(file) can be read by others, so its key is not used", remedy: "chmod 600 \(file), then make a new key")
        }
        guard let bytes = FileContent.read(descriptor: descriptor, limit: 64 << 10) else {
            throw CommandFailure(.failed, "\(file): \(SystemError.text(errno))")
        }
        return try parse(String(decoding: bytes, as: UTF8.self), file: file)
    }

    static func parse(_ text: String, file: String) throws(CommandFailure) -> ClientConfiguration {
        let document: JSONValue
        do {
            document = try JSONValue(yaml: text)
        } catch {
            throw CommandFailure(.failed, "\(file): \(error.message)")
        }
        let unknown = (document.members ?? []).map(\.name).filter { !["url", "key", "ca"].contains($0) }
        guard unknown.isEmpty else { throw CommandFailure(.failed, "\(file): unknown key '\(unknown[0])'; valid: url, ca, key") }
        guard let url = document["url"]?.text, url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw CommandFailure(.failed, "\(file): needs url: http://HOST:PORT or https://HOST:PORT")
        }
        return ClientConfiguration(url: url, key: document["key"]?.text, certificateFile: document["ca"]?.text)
    }
}

/// Where state lives on this machine.
enum DataDirectory {
    /// `--data-dir`, `SUANPAN_DATA_DIR`, or `/var/lib/suanpan` for root and `~/.local/share/suanpan` for others.
    static func resolve(option: String?, environment: [String: String], isRoot: Bool = geteuid() == 0) -> String {
        if let option, !option.isEmpty { return trimmed(option) }
        if let variable = environment["SUANPAN_DATA_DIR"], !variable.isEmpty { return trimmed(variable) }
        if isRoot { return "/var/lib/suanpan" }
        return trimmed(environment["HOME"] ?? "") + "/.local/share/suanpan"
    }

    private static func trimmed(_ path: String) -> String { path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path }
}

enum SystemError {
    static func text(_ number: Int32) -> String { strerror(number).map { String(cString: $0) } ?? "error \(number)" }
}

enum FileContent {
    /// All bytes up to `limit`; nil on an error, which `errno` names, and where there are more.
    static func read(descriptor: Int32, limit: Int) -> [UInt8]? {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return content }
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            content += chunk.prefix(count)
            guard content.count <= limit else {
                errno = EFBIG
                return nil
            }
        }
    }

    static func read(path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor: descriptor, limit: limit)
    }
}
