import ClusterModel
import SchedulingCore
import Testing

@Suite struct EventCodingTests {
    @Test func everyKindHasASample() {
        #expect(Set(Sample.events.map(EventKind.init)) == Set(EventKind.allCases))
    }

    @Test func everyEventComesBackAsItWas() throws {
        let dispositions: [EndedAttempt.Disposition] = [
            .gangLives, .requeued(attempt: 2, notBefore: Sample.time, reason: .nodeLost),
        ]
        for event in Sample.events + dispositions.map({ .attemptEnded(Sample.ended($0)) }) {
            #expect(try Event(canonicalBytes: event.canonicalBytes) == event)
        }
    }

    /// They never change: a new field is a new version with a line of its own.
    @Test func everyKindHasItsGoldenBytes() {
        for event in Sample.events {
            let kind = EventKind(event)
            #expect(event.canonicalBytes.hex == goldenBytes[kind], "\(kind)")
        }
    }

    @Test func everyShareObjectHasItsGoldenBytes() throws {
        for object in Sample.shareObjects {
            #expect(object.canonicalBytes.hex == goldenShareObjects[object.id.kind], "\(object.id.kind)")
            #expect(try ShareObject(canonicalBytes: object.canonicalBytes) == object)
        }
    }

    /// What a field more says of an event that was written before there was one.
    @Test func olderVersionsAreStillRead() throws {
        func read(_ kind: EventKind) throws -> [Event] {
            try (olderGoldenBytes[kind] ?? []).map { try Event(canonicalBytes: [UInt8](hex: $0)) }
        }
        var first = Sample.plainSpecification
        (first.inputs, first.outputs, first.secrets, first.traceParent) = ([], [], [], "")
        let jobs: [Event] = [
            first, Sample.plainSpecification, Sample.earlierSpecification, Sample.fourthSpecification, Sample.fifthSpecification,
        ]
        .map { job in
            .jobAccepted(
                AcceptedJob(
                    id: JobID(300), specification: job, user: "alice",
                    key: Submission.Key(text: "k-1", requestDigest: [0xAA, 0xBB]), retryOf: JobID(299), at: Sample.time))
        }
        #expect(try read(.jobAccepted) == jobs)
        #expect(try read(.shareObjectSet) == [.shareObjectSet(Sample.shareObjects[0], at: Sample.time)])
        #expect(try read(.leadershipBegan) == [.leadershipBegan(Epoch(3), rules: 0, at: Sample.time)])
        let enrolled: [Event] = [NodeMembership.none, Sample.plainMembership].map { membership in
            .nodeEnrolled(
                EnrolledNode(
                    id: NodeID(9), name: "worker-9", publicKey: [1, 2, 3], tokenID: [4, 5], membership: membership, at: Sample.time))
        }
        #expect(try read(.nodeEnrolled) == enrolled)
        var registered = [(sentAt: 0, seen: 0, condition: NodeCondition.good), (sentAt: 5, seen: 43, condition: .diskFull)].map {
            Event.nodeRegistered(
                RegisteredNode(
                    id: NodeID(9), session: SessionID(44), instance: 1 << 60, bootID: [6, 7], inventory: Sample.plainInventory,
                    at: Sample.time, sentAt: Int64($0.sentAt), sessionSeen: SessionID(UInt64($0.seen)), condition: $0.condition))
        }
        for case .nodeRegistered(var node) in Sample.events {
            node.strengths = nil
            registered.append(.nodeRegistered(node))
        }
        #expect(try read(.nodeRegistered) == registered)
        let tokens: [Event] = [NodeMembership.none, Sample.plainMembership].map { membership in
            .joinTokenCreated(
                JoinTokenRecord(
                    id: [1], verifier: [2], expiresAt: Sample.time, usesLeft: 10, namePrefix: "gpu-", membership: membership))
        }
        #expect(try read(.joinTokenCreated) == tokens)
        let placed = Sample.events.filter { EventKind($0) == .unitsPlaced }
        #expect(try read(.unitsPlaced) == placed)
        #expect(
            try read(.attemptLeftBehind) == [
                .attemptLeftBehind(
                    LeftAttempt(
                        attempt: Sample.attempt, node: NodeID(9), fence: Fence(100_000), slot: Fence(800),
                        holding: .allocation(Sample.allocation), at: Sample.time))
            ])
    }

    @Test func unknownFormsAreNamed() {
        func error(_ change: (inout CanonicalWriter) -> Void, _ read: (inout CanonicalReader) throws -> Void) -> CanonicalError? {
            var writer = CanonicalWriter()
            change(&writer)
            var reader = CanonicalReader(writer.bytes)
            do { try read(&reader) } catch { return error as? CanonicalError }
            return nil
        }
        #expect(
            error({ $0.write(Int64(-3)) }, { _ = try Allocation(from: &$0) }) == .malformed("unknown form -3 of an allocation"))
        #expect(
            error({ $0.write(Int64(-3)) }, { _ = try ResourceRequest(from: &$0) }) == .malformed("unknown form -3 of a request"))
        let later: (inout CanonicalWriter) -> Void = { writer in
            writer.write("")
            writer.write(UInt8(3))
        }
        let inventory = error(later) { _ = try NodeInventory(from: &$0) }
        #expect(inventory == .malformed("unknown form 3 of an inventory"))
    }

    @Test func commonEventsAreCompact() {
        for event in Sample.events {
            switch EventKind(event) {
            case .unitsPlaced: #expect(event.canonicalBytes.count <= 32)
            case .attemptStarted: #expect(event.canonicalBytes.count <= 22)
            case .attemptEnded: #expect(event.canonicalBytes.count <= 46)
            default: break
            }
        }
    }

    @Test func unknownTagsAndVersionsAreNamed() {
        #expect(throws: CanonicalError.malformed("unknown event tag 255")) { try Event(canonicalBytes: [255, 1]) }
        #expect(throws: CanonicalError.malformed("unknown version 2 of event hourCut; this build reads 1 to 1")) {
            try Event(canonicalBytes: [22, 2, 0])
        }
        #expect(throws: CanonicalError.malformed("unknown version 0 of event hourCut; this build reads 1 to 1")) {
            try Event(canonicalBytes: [22, 0, 0])
        }
        #expect(throws: CanonicalError.truncated) { try Event(canonicalBytes: [22, 1]) }
        #expect(throws: CanonicalError.trailing(1)) { try Event(canonicalBytes: [22, 1, 0, 0]) }
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func damagedEventsAreRefusedOrRead(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        for _ in 0..<4_000 {
            var bytes = Sample.events.randomElement(using: &random)!.canonicalBytes
            for _ in 0...Int.random(in: 0...2, using: &random) { mutate(&bytes, using: &random) }
            guard let event = try? Event(canonicalBytes: bytes) else { continue }
            #expect(try Event(canonicalBytes: event.canonicalBytes) == event, "seed \(seed): \(bytes.hex)")
        }
    }
}

extension [UInt8] {
    init(hex: String) {
        let digits = hex.compactMap { $0.hexDigitValue.map { UInt8($0) } }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
