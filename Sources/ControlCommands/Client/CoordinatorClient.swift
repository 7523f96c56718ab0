// One coordinator's REST interface for one verb: keys, retries, revisions and refusals in one place.

import AsyncHTTPClient
import ClusterModel
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Sends requests to a coordinator. A failure is always one that a verb can end with.
final class CoordinatorClient: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    typealias Query = [(name: String, value: String)]

    static let answerTimeLimit = TimeAmount.seconds(40)
    static let answerBytesMax = 256 << 20
    /// No list of the interface gives more at once.
    static let pageMax = 500

    /// One event loop: a verb starts in milliseconds, and never has work for more. Lives until the process ends.
    static let transport: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 512
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1), configuration: configuration)
    }()

    let configuration: ClientConfiguration
    /// Why requests cannot be sent; found once, told by each.
    private let trust: Result<TLSConfiguration?, CommandFailure>
    private let patience: RetrySchedule.Patience
    /// Says to a person why nothing happens.
    private let notice: @Sendable (String) -> Void
    /// Of the last write; reads ask for a view at least as new.
    private let revision = Mutex<UInt64>(0)

    init(
        configuration: ClientConfiguration, patience: RetrySchedule.Patience = .brief,
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.configuration = configuration
        do throws(CommandFailure) {
            let isTLS = configuration.url.hasPrefix("https:")
            trust = .success(isTLS ? try configuration.certificateFile.map(TrustedCertificates.init(file:))?.tls : nil)
        } catch { trust = .failure(error) }
        self.patience = patience
        self.notice = notice
    }

    /// The same coordinator, asked more patiently; knows what this one has written.
    func patient() -> CoordinatorClient {
        let client = CoordinatorClient(configuration: configuration, patience: .patient, notice: notice)
        let seen = revision.withLock { $0 }
        client.revision.withLock { $0 = seen }
        return client
    }

    // MARK: - Calls

    func get(_ path: String, query: Query = []) async throws(CommandFailure) -> JSONValue {
        let seen = revision.withLock { $0 }
        let query = seen > 0 ? query + [("minRevision", String(seen))] : query
        return try await call(.get, path, query: query, body: nil, idempotencyKey: nil)
    }

    /// All pages of a list, or as many as hold `limit` items; the result is one page with the last one's other members.
    func list(
        _ path: String, query: Query = [], limit: Int?, cursorName: String = "cursor"
    ) async throws(CommandFailure) -> JSONValue {
        var items: [JSONValue] = []
        var cursor: String?
        var whole = JSONObject()
        repeat {
            var page: Query = query
            page.append(("limit", String(min(limit.map { $0 - items.count } ?? Self.pageMax, Self.pageMax))))
            if let cursor {
                page.removeAll { $0.name == cursorName }
                page.append((cursorName, cursor))
            }
            let answer = try await get(path, query: page)
            if case .object(let object) = answer { whole = object }
            let received = answer["items"]?.items ?? []
            items += received
            let next = answer["nextCursor"]?.scalarText
            guard next != cursor, !received.isEmpty else {
                cursor = nil
                break
            }
            cursor = next
        } while cursor != nil && items.count < limit ?? .max
        whole["items"] = .array(items)
        whole["nextCursor"] = cursor.map(JSONValue.string) ?? .null
        return .object(whole)
    }

    /// A write; sent again under the same key until an answer has come.
    func send(
        _ method: Method, _ path: String, query: Query = [], body: JSONValue? = nil, idempotencyKey: String? = nil
    ) async throws(CommandFailure) -> JSONValue {
        try await call(method, path, query: query, body: body, idempotencyKey: idempotencyKey ?? Self.randomKey())
    }

    /// 128 random bits.
    static func randomKey() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private func call(
        _ method: Method, _ path: String, query: Query, body: JSONValue?, idempotencyKey: String?
    ) async throws(CommandFailure) -> JSONValue {
        var schedule = RetrySchedule(patience)
        let bytes = body.map { Array($0.compactText.utf8) }
        while true {
            let outcome: RetrySchedule.Outcome
            let failure: CommandFailure
            switch await exchange(method, path, query: query, body: bytes, idempotencyKey: idempotencyKey) {
            case .answer(let answer) where (200..<300).contains(answer.status):
                if method != .get, let written = answer.revision { revision.withLock { $0 = max($0, written) } }
                return try decode(answer.body)
            case .answer(let answer) where (answer.status == 429 || answer.status == 503) && Problem.isRetryable(answer.body):
                failure = Problem.failure(http: answer.status, body: answer.body, url: configuration.url)
                outcome = .busy(retryAfter: answer.retryAfter)
            case .answer(let answer): throw Problem.failure(http: answer.status, body: answer.body, url: configuration.url)
            case .unreachable:
                failure = unreachable
                outcome = .unreachable
            case .lost(let reason):
                failure = CommandFailure(.unreachable, "\(configuration.url) gave no answer: \(reason)", remedy: "is the coordinator well?")
                outcome = .lost
            case .refused(let refusal): throw refusal
            case .cancelled: throw CommandFailure(.failed, "interrupted")
            }
            guard let delay = schedule.delay(after: outcome, chance: .random(in: 0...1)) else { throw failure }
            if delay >= .seconds(2) { notice("\(failure.message); trying again in \(delay.components.seconds) s") }
            do { try await Task.sleep(for: delay) } catch { throw CommandFailure(.failed, "interrupted") }
        }
    }

    var unreachable: CommandFailure {
        CommandFailure(
            .unreachable, "cannot reach the coordinator at \(configuration.url)",
            remedy: "start one here with `suanpan up`, or set SUANPAN_URL")
    }

    private func decode(_ body: [UInt8]) throws(CommandFailure) -> JSONValue {
        guard !body.isEmpty else { return .null }
        do {
            return try JSONValue(parsing: body)
        } catch {
            throw CommandFailure(
                .failed, "\(configuration.url) answered with something that is not JSON",
                remedy: "is that address a Suanpan coordinator?")
        }
    }

    // MARK: - One exchange

    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
        var retryAfter: Duration?
        var revision: UInt64?
    }

    private enum Exchange {
        case answer(Answer)
        case unreachable
        case lost(String)
        /// Asking again would meet the same.
        case refused(CommandFailure)
        case cancelled
    }

    private func exchange(
        _ method: Method, _ path: String, query: Query, body: [UInt8]?, idempotencyKey: String?
    ) async -> Exchange {
        var request: HTTPClientRequest
        do throws(CommandFailure) { request = try self.request(method, path, query: query) } catch { return .refused(error) }
        if let idempotencyKey { request.headers.add(name: "Idempotency-Key", value: idempotencyKey) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        do {
            let response = try await Self.transport.execute(request, timeout: Self.answerTimeLimit)
            let content = try await response.body.collect(upTo: Self.answerBytesMax)
            return .answer(
                Answer(
                    status: Int(response.status.code), body: Array(content.readableBytesView),
                    retryAfter: response.headers.first(name: "Retry-After").flatMap { Int64($0) }.map { .seconds($0) },
                    revision: response.headers.first(name: "Suanpan-Revision").flatMap { UInt64($0) }))
        } catch is CancellationError {
            return .cancelled
        } catch {
            if let distrust = distrust(error) { return .refused(distrust) }
            return Self.isUnreachable(error) ? .unreachable : .lost(Self.describe(error))
        }
    }

    func request(_ method: Method, _ path: String, query: Query) throws(CommandFailure) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: configuration.url + path + Self.encode(query))
        request.tlsConfiguration = try trust.get()
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "Accept", value: "application/json, application/problem+json")
        request.headers.add(name: "User-Agent", value: "suanpan/\(Release.version)")
        if let key = configuration.key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        return request
    }

    /// The connection came about, and the other side is not who it should be, or speaks no TLS; nil for any other error.
    func distrust(_ error: any Error) -> CommandFailure? {
        guard error is NIOSSLExtraError || Self.isHandshakeFailure(error) else { return nil }
        let known = configuration.certificateFile.map { "it does not match \($0)" } ?? "no authority of this system vouches for it"
        return CommandFailure(
            .notAllowed, "\(configuration.url) is not trusted: \(known), or the server speaks no TLS",
            remedy:
                "copy tls/certificate.pem from the coordinator's data directory, and name the copy in SUANPAN_CA_FILE or as ca in client.yaml"
        )
    }

    private static func isHandshakeFailure(_ error: any Error) -> Bool {
        if case .handshakeFailed = error as? NIOSSLError { return true }
        return error is BoringSSLError
    }

    /// Whether an error means that no connection came about, so that nothing was sent.
    static func isUnreachable(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .connectTimeout || error == .getConnectionFromPoolTimeout
        case let error as IOError: [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
        case is ChannelError, is HTTPParserError: false
        // What remains is NIO's connection failure, which has no type in the modules named here.
        default: true
        }
    }

    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .deadlineExceeded:
            "it took more than \(answerTimeLimit.nanoseconds / 1_000_000_000) s"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "it closed the connection"
        case is HTTPParserError: "it does not speak HTTP"
        default: "the connection broke"
        }
    }

    // MARK: - Addresses

    private static func encode(_ query: Query) -> String {
        guard !query.isEmpty else { return "" }
        return "?" + query.map { "\(escape($0.name))=\(escape($0.value))" }.joined(separator: "&")
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    static func escape(_ text: String) -> String {
        var output = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39,
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                output.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                output += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return output
    }
}
