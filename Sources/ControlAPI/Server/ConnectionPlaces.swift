import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections of the interface. When all places are taken, the one that has been without a request for longest
/// gives way to the new one: half-open connections, ones kept alive for nothing, and ones whose clients have stopped
/// taking their answers keep nobody out.
final class ConnectionPlaces: Sendable {
    private let countMax: Int
    /// An answer that has waited so long for its client holds its place no longer. Nanoseconds.
    private let stallMax: UInt64
    private let taken = Mutex<[ObjectIdentifier: ConnectionPlace]>([:])

    init(countMax: Int, stallMax: TimeAmount) {
        self.countMax = countMax
        self.stallMax = UInt64(stallMax.nanoseconds)
    }

    var count: Int { taken.withLock { $0.count } }

    /// Closes another connection where there is no room, or this one where all others are at work.
    fileprivate func take(_ place: ConnectionPlace) {
        let now = NIODeadline.now().uptimeNanoseconds
        let leaving = taken.withLock { taken -> ConnectionPlace? in
            taken[ObjectIdentifier(place)] = place
            guard taken.count > countMax else { return nil }
            let free = taken.values.lazy.compactMap { [stallMax] place in
                place.freeSince(now, stallMax: stallMax).map { (place: place, since: $0) }
            }
            guard let longest = free.min(by: { $0.since < $1.since })?.place else { return place }
            taken[ObjectIdentifier(longest)] = nil
            return longest
        }
        leaving?.channel.close(promise: nil)
    }

    fileprivate func leave(_ place: ConnectionPlace) {
        taken.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(place)) }
    }
}

/// Written by the connection's own thread, read by whichever looks for a place. Instants are nanoseconds of a clock that
/// only rises, 0 for none.
private final class ConnectionPlace: Sendable {
    let channel: any Channel
    /// Requests whose answers have not left. A client may send several ahead.
    private let requests = Atomic(0)
    private let idleSince: Atomic<UInt64>
    /// Whole answers that wait for the client to take them, and since when there are any.
    private let waiting = Atomic(0)
    private let waitingSince = Atomic<UInt64>(0)

    init(_ channel: any Channel) {
        self.channel = channel
        idleSince = Atomic(NIODeadline.now().uptimeNanoseconds)
    }

    /// Since when nothing is lost with the connection but its client's patience; nil while a request is at work.
    func freeSince(_ now: UInt64, stallMax: UInt64) -> UInt64? {
        if requests.load(ordering: .relaxed) <= 0 { return idleSince.load(ordering: .relaxed) }
        let since = waitingSince.load(ordering: .relaxed)
        return since > 0 && now > since &+ stallMax ? since : nil
    }

    func requestBegan() { requests.add(1, ordering: .relaxed) }

    func answerEnded() {
        if waiting.add(1, ordering: .relaxed).oldValue == 0 {
            waitingSince.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed)
        }
    }

    func answerLeft() {
        let now = NIODeadline.now().uptimeNanoseconds
        let isLast = waiting.subtract(1, ordering: .relaxed).newValue == 0
        waitingSince.store(isLast ? 0 : now, ordering: .relaxed)
        idleSince.store(now, ordering: .relaxed)
        requests.subtract(1, ordering: .relaxed)
    }
}

/// Takes a place for its connection, and notes when a request begins and when its answer has left.
final class ConnectionPlaceHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let places: ConnectionPlaces
    private var place: ConnectionPlace?

    init(_ places: ConnectionPlaces) { self.places = places }

    func handlerAdded(context: ChannelHandlerContext) {
        let place = ConnectionPlace(context.channel)
        self.place = place
        places.take(place)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if let place { places.leave(place) }
        place = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) { place?.requestBegan() }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let place, case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        place.answerEnded()
        let left = promise ?? context.eventLoop.makePromise()
        left.futureResult.whenComplete { _ in place.answerLeft() }
        context.write(data, promise: left)
    }
}
