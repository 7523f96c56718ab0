import HTTPTypes

/// W3C Trace Context (Recommendation of 23 November 2021): who follows a request across programs.
enum TraceContext {
    private static let field = HTTPField.Name("traceparent")!

    /// The header's value when it has the form of version 00; anything else is ignored, as the standard asks.
    static func parent(_ headers: HTTPFields) -> String? {
        guard let text = headers[field] else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 32, 16, 2], parts[0] == "00",
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        return text
    }
}
