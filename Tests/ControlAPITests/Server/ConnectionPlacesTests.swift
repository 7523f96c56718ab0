import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import ControlAPI

@Suite("Places of connections")
struct ConnectionPlacesTests {
    private static func connect(_ places: ConnectionPlaces) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.pipeline.syncOperations.addHandler(ConnectionPlaceHandler(places))
        return channel
    }

    private static func request(on channel: EmbeddedChannel) throws {
        try channel.writeInbound(HTTPRequestPart.head(HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")))
        try channel.writeInbound(HTTPRequestPart.end(nil))
    }

    @Test("an answer that has not left is work; one that has left is none")
    func answers() throws {
        let places = ConnectionPlaces(countMax: 1, stallMax: .hours(1))
        let first = try Self.connect(places)
        try Self.request(on: first)
        #expect(try !Self.connect(places).isActive && first.isActive)
        first.write(HTTPResponsePart.head(HTTPResponse(status: .ok)), promise: nil)
        first.write(HTTPResponsePart.end(nil), promise: nil)
        #expect(try !Self.connect(places).isActive && first.isActive)
        first.flush()
        let second = try Self.connect(places)
        #expect(second.isActive && !first.isActive)
    }

    @Test("of requests sent ahead, each counts until its answer has left")
    func pipelined() throws {
        let places = ConnectionPlaces(countMax: 1, stallMax: .hours(1))
        let first = try Self.connect(places)
        try Self.request(on: first)
        try Self.request(on: first)
        try first.writeOutbound(HTTPResponsePart.end(nil))
        #expect(try !Self.connect(places).isActive && first.isActive)
        try first.writeOutbound(HTTPResponsePart.end(nil))
        #expect(try Self.connect(places).isActive && !first.isActive)
    }

    @Test("an answer that its client does not take keeps the place only so long")
    func stalled() throws {
        let places = ConnectionPlaces(countMax: 1, stallMax: .nanoseconds(1))
        let first = try Self.connect(places)
        try Self.request(on: first)
        #expect(try !Self.connect(places).isActive && first.isActive, "no answer yet: at work, however long")
        first.write(HTTPResponsePart.end(nil), promise: nil)
        let written = NIODeadline.now()
        while NIODeadline.now() <= written + .nanoseconds(1) {}
        #expect(try Self.connect(places).isActive && !first.isActive)
    }

    @Test("what has gone takes no place")
    func gone() throws {
        let places = ConnectionPlaces(countMax: 2, stallMax: .hours(1))
        let (first, second) = (try Self.connect(places), try Self.connect(places))
        try first.close().wait()
        let third = try Self.connect(places)
        #expect(second.isActive && third.isActive)
    }
}
