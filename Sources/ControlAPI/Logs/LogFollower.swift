// Follows output as it comes, over attempts that have not begun and those that come after a failure, until the job has
// ended and everything is sent.
//
// One task of the runtime owns all state; children only wait: one for each open stream, one for the clock, one for the
// server's stop. A child is started when the reader has taken what the last one brought, so an open stream holds at
// most one chunk. At most `feedCountMax` tasks are followed at once, in order of their indices; the next ones enter as
// these end. Their output is then late, never lost.

import ClusterModel
import ClusterPorts
import SchedulingCore

struct LogFollower {
    private static let feedCountMax = 64
    private static let interval = Duration.milliseconds(200)

    /// One task that is followed.
    private struct Feed {
        /// The attempt whose output is sent; nil until one has begun.
        var attempt: AttemptID?
        /// Positions of the streams that may still bring bytes.
        var offsets: [LogStream: Int64] = [:]
        /// Streams without a waiting child: begun by the next tick.
        var pausedStreams: Set<LogStream> = []
        /// Bytes sent of the streams that are complete.
        var sentBytes: [LogStream: Int64] = [:]
    }

    private enum Occurrence: Sendable {
        case slice(AttemptID, LogStream, LogSlice)
        case tick
        case stop
    }

    private typealias Children = ThrowingTaskGroup<Occurrence, any Error>

    private let dump: LogDump
    private let stop: StopSignal
    private var feeds: [UInt32: Feed] = [:]
    /// The first task that has not entered.
    private var next: UInt32
    /// State version of the last look at the rows: nothing new can be in them before it rises.
    private var revisionSeen: UInt64?

    init(dump: LogDump, stop: StopSignal) {
        self.dump = dump
        self.stop = stop
        next = dump.selection.indices.lowerBound
    }

    @concurrent
    mutating func run(into output: inout LogOutput) async throws {
        try await withThrowingTaskGroup(of: Occurrence.self) { [stop] children in
            children.addTask {
                await stop.wait()
                return .stop
            }
            try await refresh(&children, into: &output)
            Self.startClock(&children)
            while !feeds.isEmpty, let occurrence = try await children.next(), !Task.isCancelled {
                switch occurrence {
                case .slice(let attempt, let stream, let slice):
                    try await take(slice, of: attempt, stream, &children, into: &output)
                case .tick:
                    try await refresh(&children, into: &output)
                    Self.startClock(&children)
                case .stop: feeds = [:]
                }
            }
            children.cancelAll()
        }
    }

    private static func startClock(_ children: inout Children) {
        children.addTask {
            try await Task.sleep(for: interval)
            return .tick
        }
    }

    // MARK: - Streams

    private func read(_ attempt: AttemptID, _ stream: LogStream, from offset: Int64, _ children: inout Children) {
        let (logs, limit) = (dump.controlPlane.logs, dump.chunkBytes)
        children.addTask {
            .slice(attempt, stream, try await logs.read(attempt, stream, offset: offset, limit: limit, follow: true))
        }
    }

    @concurrent
    private mutating func take(
        _ slice: LogSlice, of attempt: AttemptID, _ stream: LogStream, _ children: inout Children, into output: inout LogOutput
    ) async throws {
        let index = attempt.task.index
        guard var feed = feeds[index], feed.attempt == attempt, let offset = feed.offsets[stream] else { return }
        // A line longer than a chunk is cut.
        let isFull = slice.bytes.count >= dump.chunkBytes && !slice.bytes.contains(UInt8(ascii: "\n"))
        let sent = try await output.send(slice.bytes, of: index, mustSendAll: isFull || slice.isComplete)
        let position = offset + Int64(sent)
        if slice.isComplete, sent == slice.bytes.count {
            feed.offsets[stream] = nil
            feed.sentBytes[stream] = position
            // Whether more comes is in rows that may have been there at the last look.
            if feed.offsets.isEmpty { revisionSeen = nil }
        } else {
            feed.offsets[stream] = position
            // An unfinished line would come back at once; the clock asks for it again.
            if sent > 0 { read(attempt, stream, from: position, &children) } else { feed.pausedStreams.insert(stream) }
        }
        feeds[index] = feed
    }

    private mutating func begin(_ attempt: AttemptID, isFirst: Bool, _ children: inout Children) async throws {
        var feed = Feed(attempt: attempt)
        for stream in dump.selection.streams {
            let offset = isFirst ? try await dump.start(of: attempt, stream) : 0
            feed.offsets[stream] = offset
            read(attempt, stream, from: offset, &children)
        }
        feeds[attempt.task.index] = feed
    }

    // MARK: - Rows

    /// Looks for attempts that began and for those that are over. Whether the job has ended is asked first: its rows
    /// are then final.
    @concurrent
    private mutating func refresh(_ children: inout Children, into output: inout LogOutput) async throws {
        for (index, feed) in feeds {
            for stream in feed.pausedStreams {
                if let attempt = feed.attempt, let offset = feed.offsets[stream] { read(attempt, stream, from: offset, &children) }
            }
            feeds[index]?.pausedStreams = []
        }
        let revision = dump.controlPlane.cluster().revision
        guard revision != revisionSeen else { return }
        let isOver = dump.controlPlane.liveJob(dump.selection.job) == nil
        repeat {
            try await beginWaiting(isOver: isOver, &children)
            try await settleDrained(isOver: isOver, &children, into: &output)
        } while try await admit(isOver: isOver, &children)
        revisionSeen = revision
    }

    /// Lets tasks enter; false when none can. Of a job that is over only those with output to send do.
    private mutating func admit(isOver: Bool, _ children: inout Children) async throws -> Bool {
        let room = Self.feedCountMax - feeds.count
        let end = dump.selection.indices.upperBound
        guard room > 0, next < end else { return false }
        if isOver {
            let page = next..<(next + min(LogDump.pageSize, end - next))
            let entering = try await dump.attempts(of: page).prefix(room)
            for record in entering { try await begin(record.placement.attempt, isFirst: true, &children) }
            next = entering.count == room ? entering[entering.endIndex - 1].placement.attempt.task.index + 1 : page.upperBound
        } else {
            let entering = next..<(next + min(UInt32(room), end - next))
            for index in entering { feeds[index] = Feed() }
            next = entering.upperBound
        }
        return true
    }

    private mutating func beginWaiting(isOver: Bool, _ children: inout Children) async throws {
        let waiting = feeds.filter { $0.value.attempt == nil }.map(\.key).sorted()
        for range in Self.ranges(of: waiting) {
            for record in try await dump.attempts(of: range) {
                try await begin(record.placement.attempt, isFirst: true, &children)
            }
        }
        if isOver { for index in waiting where feeds[index]?.attempt == nil { feeds[index] = nil } }
    }

    /// Tasks whose attempt has brought everything: on to the next attempt, or done.
    @concurrent
    private mutating func settleDrained(isOver: Bool, _ children: inout Children, into output: inout LogOutput) async throws {
        for (index, feed) in feeds.sorted(by: { $0.key < $1.key }) {
            guard let attempt = feed.attempt, feed.offsets.isEmpty else { continue }
            let rows = try await dump.attempts(from: attempt.number, of: index, limit: 2)
            guard let end = rows.first?.end else {
                if isOver { feeds[index] = nil }
                continue
            }
            if let following = rows.dropFirst().first, dump.selection.attempt == nil {
                try await sendDropped(feed, end, index, into: &output)
                try await begin(following.placement.attempt, isFirst: false, &children)
            } else if isOver || dump.selection.attempt != nil || (rows[0].state == .succeeded && !dump.selection.hasGangs) {
                try await sendDropped(feed, end, index, into: &output)
                feeds[index] = nil
            }
        }
    }

    @concurrent
    private func sendDropped(_ feed: Feed, _ end: AttemptEnd, _ index: UInt32, into output: inout LogOutput) async throws {
        let missing = feed.sentBytes.reduce(Int64(0)) { $0 + max(0, end.byteCount(of: $1.key) - $1.value) }
        let dropped = max(missing, end.droppedBytes)
        if dropped > 0 { try await output.sendDropped(dropped, of: index) }
    }

    /// Runs of neighbours.
    private static func ranges(of indices: [UInt32]) -> [Range<UInt32>] {
        var ranges: [Range<UInt32>] = []
        for index in indices {
            if let last = ranges.last, last.upperBound == index {
                ranges[ranges.count - 1] = last.lowerBound..<index + 1
            } else {
                ranges.append(index..<index + 1)
            }
        }
        return ranges
    }
}
