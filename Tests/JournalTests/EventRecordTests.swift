import ClusterModel
import SchedulingCore
import Testing

@Suite struct EventRecordTests {
    private let record = EventRecord(index: 5, at: Sample.time, events: Sample.events)

    /// RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
    @Test func checksumsAreThoseOfTheStandard() {
        #expect(CRC32C.checksum(of: Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum(of: [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum(of: [UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(of: [UInt8]()) == 0)
    }

    @Test func recordsComeBackAsTheyWere() throws {
        #expect(try EventRecord(bytes: record.bytes, expecting: 5) == record)
        let empty = EventRecord(index: 1, at: .zero, events: [])
        #expect(empty.bytes.hex == "0101000000" + "21b326a0")
        #expect(try EventRecord(bytes: empty.bytes, expecting: 1) == empty)
        let header = try EventRecord.header(of: record.bytes, expecting: 5)
        #expect(header.index == 5 && header.at == Sample.time && header.eventCount == UInt64(Sample.events.count))
    }

    @Test func everyFlippedBitIsNoticed() {
        let sound = record.bytes
        for bit in 0..<sound.count * 8 {
            var bytes = sound
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: EventRecordError.self) { try EventRecord(bytes: bytes, expecting: 5) }
        }
    }

    @Test func faultsSayWhatIsWrong() {
        func fault(_ bytes: [UInt8]) -> EventRecordError? {
            do throws(EventRecordError) {
                _ = try EventRecord(bytes: bytes, expecting: 5)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault([1, 2, 3]) == .tooShort(bytes: 3))
        #expect(fault(sealed([2, 5, 0, 0, 0])) == .level(2))
        #expect(fault(sealed([1, 5, 0, 0, 9])) == .header(.malformed("count 9 exceeds the 0 bytes left")))
        #expect(fault(sealed([1, 5, 0, 0, 0, 0])) == .header(.trailing(1)))
        #expect(fault(sealed([1, 6, 0, 0, 0])) == .misplaced(index: 6))
        #expect(fault(sealed([1, 5, 0, 9, 0])) == .count(stated: 9, payloadBytes: 0))
        #expect(fault(sealed([1, 5, 0, 0, 3, 22, 1, 0])) == .count(stated: 0, payloadBytes: 3))
        #expect(fault(sealed([1, 5, 0, 1, 3, 99, 1, 0])) == .event(position: 0, .malformed("unknown event tag 99")))
        #expect(fault(sealed([1, 5, 0, 1, 3, 22, 1, 0])) == nil)
        #expect("\(EventRecordError.level(2))" == "it has format level 2, this build reads level 1")
    }

    /// A right checksum over wrong bytes, so that chance reaches what lies behind it.
    private func sealed(_ body: [UInt8]) -> [UInt8] {
        let checksum = CRC32C.checksum(of: body)
        return body + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> UInt32(8 * $0)) }
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func damagedRecordsNeverCrash(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for _ in 0..<1_000 {
            var body = Array(record.bytes.dropLast(4))
            for _ in 0...Int.random(in: 0...3, using: &random) { mutate(&body, using: &random) }
            _ = try? EventRecord(bytes: body, expecting: 5)
            guard let found = try? EventRecord(bytes: sealed(body), expecting: 5) else { continue }
            #expect(found.index == 5)
        }
    }
}
