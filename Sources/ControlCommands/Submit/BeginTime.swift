// `--begin`: the forms that people type, as an instant.

import ClusterModel
import Glibc

enum BeginTime {
    static let forms = "2026-01-31T08:00:00Z, 2026-01-31T08:00 or 08:00 in local time, or +2h from now"

    static func parse(_ text: String, now: Timestamp) throws(CommandFailure) -> Timestamp {
        if let instant = Timestamp(rfc3339: text) { return instant }
        let failure = CommandFailure(.usage, "--begin '\(text)': expected \(forms)")
        if text.hasPrefix("+") {
            do {
                return Timestamp(seconds: now.seconds + (try Quantity.span(String(text.dropFirst()))).wholeSeconds)
            } catch { throw failure }
        }
        for rest in ["Z", ":00Z", "T00:00:00Z"] {
            if let wall = Timestamp(rfc3339: text + rest) { return local(wall) }
        }
        // The time of day alone: the next such time, today or tomorrow.
        let today = now.longText.prefix(10)
        guard let wall = Timestamp(rfc3339: "\(today)T\(text):00Z") else { throw failure }
        let instant = local(wall)
        return instant < now ? local(Timestamp(seconds: wall.seconds + 86_400)) : instant
    }

    /// How far clocks here are ahead of UTC then, in whole minutes.
    static func clockOffset(at instant: Timestamp) -> Span {
        var seconds = time_t(instant.seconds)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return .seconds(Int64(parts.tm_gmtoff) / 60 * 60)
    }

    /// The instant at which clocks here show what `wall` shows in UTC.
    private static func local(_ wall: Timestamp) -> Timestamp {
        var seconds = time_t(wall.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        parts.tm_isdst = -1
        return Timestamp(seconds: Int64(mktime(&parts)))
    }
}
