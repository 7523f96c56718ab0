import Glibc
public import Logging

/// Lines of JSON: `time` (RFC 3339, UTC), `level`, `label`, `message` and, when there is any, `metadata`, an object of texts.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let write: @Sendable ([UInt8]) -> Void
    private let wallNanoseconds: @Sendable () -> Int64

    /// - Parameters:
    ///   - write: takes one whole line; lines of several threads must not mix.
    ///   - wallNanoseconds: since 1970.
    public init(
        label: String, logLevel: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void = Self.toStandardError,
        wallNanoseconds: @escaping @Sendable () -> Int64 = { SystemClocks().wall() }
    ) {
        self.label = label
        self.logLevel = logLevel
        self.write = write
        self.wallNanoseconds = wallNanoseconds
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = Array("{\"time\":\"".utf8)
        line += Array(Self.timestamp(wallNanoseconds()).utf8)
        line += Array("\",\"level\":\"\(event.level.rawValue)\",\"label\":".utf8)
        line.append(json: label)
        line += Array(",\"message\":".utf8)
        line.append(json: "\(event.message)")
        let all = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        if !all.isEmpty {
            line += Array(",\"metadata\":{".utf8)
            for (index, item) in all.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                line.append(json: item.key)
                line.append(UInt8(ascii: ":"))
                line.append(json: "\(item.value)")
            }
            line.append(UInt8(ascii: "}"))
        }
        line += Array("}\n".utf8)
        write(line)
    }

    /// One call of the system: the kernel keeps lines of a pipe or file apart. A log that cannot be written stops nothing.
    @Sendable public static func toStandardError(_ line: [UInt8]) {
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func timestamp(_ nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: some BinaryInteger, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        let time = "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        return "\(date)T\(time).\(digits(nanoseconds % 1_000_000_000 / 1000, 6))Z"
    }
}

extension [UInt8] {
    /// A text as a JSON string: whatever it holds, the line stays one line.
    fileprivate mutating func append(json text: String) {
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case UInt8(ascii: "\n"): append(contentsOf: #"\n"#.utf8)
            case 0..<0x20, 0x7F:
                let digits = Array("0123456789abcdef".utf8)
                append(contentsOf: #"\u00"#.utf8)
                append(digits[Int(byte >> 4)])
                append(digits[Int(byte & 15)])
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }
}
