import HTTPTypes
import Hummingbird
import Logging

/// What lines of the log call one request.
struct RequestNames {
    /// The client's own name for it when that is a plain one, else one made here.
    let request: String
    /// W3C Trace Context, when the client sent a valid one.
    let traceParent: String?

    init(_ request: Request, fallback: String) {
        self.request = request.headers[.requestID].flatMap { Self.isPlain($0) ? $0 : nil } ?? fallback
        traceParent = request.headers[.traceParent].flatMap { Self.isTraceParent($0) ? $0 : nil }
    }

    func metadata(_ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["request"] = "\(request)"
        if let traceParent { metadata["traceparent"] = "\(traceParent)" }
        return metadata
    }

    private static func isPlain(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }

    /// `version-traceid-parentid-flags` in small hexadecimal digits; later versions may carry more behind a dash.
    static func isTraceParent(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 4, omittingEmptySubsequences: false)
        guard text.utf8.count <= 128, parts.count >= 4, parts.map(\.count).prefix(4) == [2, 32, 16, 2] else { return false }
        guard parts.prefix(4).allSatisfy({ $0.allSatisfy(isDigit) }) else { return false }
        let isAsFirstVersion = parts[0].elementsEqual("00".utf8)
        guard !parts[0].elementsEqual("ff".utf8), parts.count == 4 || !isAsFirstVersion else { return false }
        // What follows is unknown; a line of the log holds no more than text.
        guard parts.count == 4 || parts[4].allSatisfy({ (0x21...0x7E).contains($0) }) else { return false }
        return parts[1...2].allSatisfy { part in part.contains { $0 != UInt8(ascii: "0") } }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension HTTPField.Name {
    static let traceParent = HTTPField.Name("traceparent")!
}
