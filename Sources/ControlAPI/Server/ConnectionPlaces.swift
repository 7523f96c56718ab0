import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections of the interface. When all places are taken, the one that has been without a request for longest
/// gives way to the new one: half-open connections, and ones kept alive for nothing, keep nobody out.
final class ConnectionPlaces: Sendable {
    private let countMax: Int
    private let taken = Mutex<[ObjectIdentifier: ConnectionPlace]>([:])

    init(countMax: Int) { self.countMax = countMax }

    /// Closes another connection where there is no room, or this one where all others are at work.
    fileprivate func take(_ place: ConnectionPlace) {
        let leaving = taken.withLock { taken -> ConnectionPlace? in
            taken[ObjectIdentifier(place)] = place
            guard taken.count > countMax else { return nil }
            let idle = taken.values.lazy.map { (place: $0, since: $0.idleSince.load(ordering: .relaxed)) }
            guard let longest = idle.min(by: { $0.since < $1.since }), longest.since < ConnectionPlace.atWork else { return place }
            taken[ObjectIdentifier(longest.place)] = nil
            return longest.place
        }
        leaving?.channel.close(promise: nil)
    }

    fileprivate func leave(_ place: ConnectionPlace) {
        taken.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(place)) }
    }
}

private final class ConnectionPlace: Sendable {
    static let atWork = UInt64.max

    let channel: any Channel
    /// Nanoseconds of a clock that only rises; `atWork` while a request is in progress.
    let idleSince: Atomic<UInt64>

    init(_ channel: any Channel) {
        self.channel = channel
        idleSince = Atomic(NIODeadline.now().uptimeNanoseconds)
    }
}

/// Takes a place for its connection, and notes when a request begins and ends.
final class ConnectionPlaceHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let places: ConnectionPlaces
    private var place: ConnectionPlace?
    /// Requests whose answers are not written yet; a client may send several ahead.
    private var requestCount = 0

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
        if case .head = unwrapInboundIn(data) {
            requestCount += 1
            place?.idleSince.store(ConnectionPlace.atWork, ordering: .relaxed)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            requestCount -= 1
            if requestCount == 0 { place?.idleSince.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }
        }
        context.write(data, promise: promise)
    }
}
