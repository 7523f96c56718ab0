public import Logging

/// How a daemon writes its log, to standard error.
public struct LogSettings: Hashable, Sendable {
    public enum Format: String, CaseIterable, Sendable {
        /// A line for people.
        case text
        /// A JSON object a line, for collectors.
        case json
    }

    public var format: Format
    public var level: Logger.Level

    /// The settings `log-format` and `log-level`.
    public init(_ settings: DaemonSettings) throws {
        let format = settings["log-format"] ?? Format.text.rawValue
        guard let known = Format(rawValue: format) else {
            throw StartError("log-format: '\(format)'; expected \(Format.allCases.map(\.rawValue).joined(separator: " or "))")
        }
        let level = settings["log-level"] ?? Logger.Level.info.rawValue
        guard let least = Logger.Level(rawValue: level) else {
            throw StartError("log-level: '\(level)'; expected one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.format = known
        self.level = least
    }

    /// Once in a process, before the first logger is made.
    public func begin() {
        LoggingSystem.bootstrap { label in
            switch format {
            case .text:
                var handler = StreamLogHandler.standardError(label: label)
                handler.logLevel = level
                return handler
            case .json: return JSONLogHandler(label: label, logLevel: level)
            }
        }
    }
}
