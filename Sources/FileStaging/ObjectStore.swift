import ClusterModel
import Foundation
import Synchronization

/// Moves directories between a node and an object store, by rclone, which runs as the job's user: what that user may not read or
/// write, it does not either.
///
/// Who asks is told by a secret of the job with the name `s3`: lines of `NAME=VALUE` under the names that Amazon's own tools
/// read. Only those are passed on: rclone's settings of its own could name programs to run.
struct ObjectStore {
    /// The job's secret.
    static let secretName = "s3"
    private static let places: [String] = ["/usr/bin/rclone", "/usr/local/bin/rclone"]
    private static let variables = [
        "AWS_ACCESS_KEY_ID": "RCLONE_S3_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY": "RCLONE_S3_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN": "RCLONE_S3_SESSION_TOKEN", "AWS_REGION": "RCLONE_S3_REGION", "AWS_ENDPOINT_URL": "RCLONE_S3_ENDPOINT",
    ]

    private let program: String
    private let account: AccountFiles
    private let environment: [String: String]

    init(account: AccountFiles, secretsDirectory: String) throws {
        let secret = secretsDirectory.isEmpty ? nil : try account.readSmall("\(secretsDirectory)/\(Self.secretName)")
        guard let program = Self.places.first(where: { access($0, X_OK) == 0 }) else {
            throw StagingError("this node has no rclone, which moves files from and to s3:// addresses: apt-get install rclone")
        }
        self.program = program
        self.account = account
        environment = try Self.environment(secret: secret ?? "")
    }

    /// Without credentials it asks as nobody, which public buckets allow.
    static func environment(secret: String) throws -> [String: String] {
        var result = [
            "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "RCLONE_S3_ENV_AUTH": "false",
            "RCLONE_S3_NO_CHECK_BUCKET": "true",
        ]
        for line in secret.split(whereSeparator: \.isNewline) where !line.allSatisfy(\.isWhitespace) && line.first != "#" {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = variables[parts[0].trimmingCharacters(in: .whitespaces)] else {
                let known = variables.keys.sorted().joined(separator: ", ")
                throw StagingError("the secret \(secretName) must consist of lines NAME=VALUE; the names: \(known)")
            }
            result[name] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        // Amazon is the only one whose address is known.
        result["RCLONE_S3_PROVIDER"] = result["RCLONE_S3_ENDPOINT"] == nil ? "AWS" : "Other"
        return result
    }

    /// What lies below the address, or the object that it names, comes into the directory.
    func fetch(_ address: ObjectAddress, into directory: String) async throws {
        try await run(["copy", Self.remote(address.description), directory], about: "\(address)")
    }

    /// A directory's content, or a file under its own name, goes below the address.
    func keep(_ path: String, below address: String) async throws {
        try await run(["copy", path, Self.remote(address)], about: address)
    }

    private static func remote(_ address: String) -> String { ":s3:\(address.dropFirst(ObjectAddress.scheme.count))" }

    // MARK: The program

    private func run(_ arguments: [String], about what: String) async throws {
        let process = Process()
        var words =
            [program] + arguments + ["--config", "", "--retries", "3", "--contimeout", "10s", "--stats", "0", "--log-level", "ERROR"]
        if geteuid() == 0, account.userID != 0 {
            let identity = ["--reuid", "\(account.userID)", "--regid", "\(account.groupID)", "--clear-groups", "--no-new-privs"]
            words = ["/usr/bin/setpriv"] + identity + words
        }
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        // What it says is read as it comes: a full pipe would hold it up. Its last line is what counts.
        let said = Mutex<[UInt8]>([])
        errors.fileHandleForReading.readabilityHandler = { handle in
            let bytes = handle.availableData
            if bytes.isEmpty { handle.readabilityHandler = nil }
            said.withLock { $0 = Array(($0 + bytes).suffix(4096)) }
        }
        let code = try await Self.ended(process)
        errors.fileHandleForReading.readabilityHandler = nil
        try Task.checkCancellation()
        guard code != 0 else { return }
        let text = String(decoding: said.withLock { $0 }, as: UTF8.self)
        throw StagingError("\(what): \(Self.reason(code, text))")
    }

    /// Exit codes by rclone's documentation; its own words where they say more.
    static func reason(_ code: Int32, _ text: String) -> String {
        switch code {
        case 3, 4: return "there is nothing"
        default:
            // `2026/11/21 10:00:00 ERROR : what happened`, or without a level; lines without a date go on with the one before.
            guard let last = text.split(whereSeparator: \.isNewline).last(where: { $0.first?.isNumber == true }) else {
                return "rclone ended with \(code)"
            }
            let words = last.split(separator: " ", maxSplits: 2).dropFirst(2).joined()
            return words.firstRange(of: " : ").map { String(words[$0.upperBound...]) } ?? words
        }
    }

    /// The exit code; cancelled, the program is killed, and waited for. Not asked: it may have the signals blocked that were
    /// blocked in the thread that started it.
    private static func ended(_ process: Process) async throws -> Int32 {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do { try process.run() } catch {
                    process.terminationHandler = nil
                    continuation.resume(throwing: StagingError("rclone cannot be started: \(error)"))
                }
            }
        } onCancel: {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }
}
