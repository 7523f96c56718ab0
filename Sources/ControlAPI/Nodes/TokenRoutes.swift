import ClusterModel
import ClusterPorts
import Crypto
import HTTPTypes
import Hummingbird
import SchedulingCore

extension ControlRouter {
    static func tokens(_ installation: Installation) -> [Endpoint] {
        [Endpoint(.post, "/v1/nodes/tokens", .administering) { call in try await createToken(call, installation) }]
    }

    /// The secret is made here and shown once; the state gets only the verifier of its proof.
    private static func createToken(_ call: Call, _ installation: Installation) async throws -> Response {
        let wish = try TokenWish(try await RequestBodyReader.read(call.request, isOptional: true).value)
        guard let address = installation.interface.current else { throw Problem.unavailable("The coordinator is starting or stopping.") }
        let packages = try await installation.packages()
        let own = packages.first { $0.architecture == AgentPackage.ownArchitecture } ?? packages.first
        var generator = SystemRandomNumberGenerator()
        let token = JoinToken(
            id: generator.bytes(count: 16), secret: generator.bytes(count: 32), endpoints: call.controlPlane.endpoints,
            interface: JoinToken.Interface(url: address.url, pin: address.certificate?.pin ?? [], packageDigest: own?.digest ?? []))
        let record = JoinTokenRecord(
            id: token.id, verifier: Array(SHA256.hash(data: token.secret)), expiresAt: call.controlPlane.now() + .seconds(wish.seconds),
            usesLeft: wish.uses, namePrefix: wish.namePrefix, membership: wish.membership)
        let decision = try await call.perform(.createJoinToken(record))
        let reply = JSONWriter.object { writer in
            writer.member("id", Hexadecimal.text(token.id))
            writer.member("token", token.text)
            switch JoinCommand(token: token, address: address, packages: packages) {
            case .line(let line):
                writer.member("command", line)
                writer.null("commandProblem")
            case .impossible(let reason):
                writer.null("command")
                writer.member("commandProblem", reason)
            }
            writer.member("url", address.url)
            writer.member("pin", address.certificate?.curlPin)
            writer.member("expiresAt", record.expiresAt)
            writer.member("uses", wish.uses)
            writer.member("namePrefix", wish.namePrefix.isEmpty ? nil : wish.namePrefix)
            writer.member("center", wish.membership.center?.id)
            writer.member("pool", wish.membership.pool.isEmpty ? nil : wish.membership.pool)
            writer.member("labels", map: wish.membership.labels.map { ($0.name, $0.text) })
            writer.member("taints", strings: wish.membership.taints)
        }
        return call.json(reply, status: .created, revision: decision.revision)
    }
}

/// What a request for a join token asks for.
private struct TokenWish {
    var seconds: Int64
    var uses: UInt32
    var namePrefix: String
    var membership: NodeMembership

    private static let secondsMax: Int64 = 30 * 86_400

    init(_ body: JSONValue) throws(Problem) {
        let problems = FieldProblems()
        var reader = FieldReader(body, at: .body, problems: problems)
        seconds = reader.integer("ttlSeconds", 1...Self.secondsMax) ?? 3600
        uses = reader.integer("uses", 1...100_000) ?? 1
        namePrefix = reader.string("namePrefix") ?? ""
        if !namePrefix.isEmpty, !ObjectName.isValid(namePrefix) {
            problems.add(
                reader.path(of: "namePrefix"), expected: "the beginning of a name, \(ObjectName.grammar)", not: .string(namePrefix))
        }
        membership = NodeMembership(
            center: Self.center(&reader, problems), pool: reader.string("pool") ?? "", labels: reader.map("labels") ?? [],
            taints: reader.strings("taints") ?? [])
        problems.add(membership.validate())
        reader.finish()
        guard problems.list.isEmpty else { throw Problem.invalid(problems.list) }
    }

    /// What is said of a center needs one that it is said of.
    private static func center(_ reader: inout FieldReader, _ problems: FieldProblems) -> Center? {
        let id = reader.string("center")
        let center = Center(
            id: id ?? "", name: reader.string("centerName") ?? "", province: reader.string("province") ?? "",
            city: reader.string("city") ?? "", hasNetAccess: reader.bool("netAccess") ?? false)
        if id == nil, !center.isBare { problems.add(reader.path(of: "center"), "is missing beside what is said of the center") }
        return id == nil ? nil : center
    }
}
