import ClusterModel
import Testing

/// Parts of which there are two forms: what the first can say is said in it, so that equal values have equal bytes.
@Suite struct LaterFormTests {
    /// Writes the second form by hand and reads it back.
    private func read<Value: CanonicalValue>(_ type: Value.Type, _ write: (inout CanonicalWriter) -> Void) -> CanonicalError? {
        var writer = CanonicalWriter()
        write(&writer)
        do throws(CanonicalError) {
            _ = try Value(canonicalBytes: writer.bytes)
            return nil
        } catch { return error }
    }

    @Test func whatTheFirstFormCanSayIsRefusedInTheSecond() {
        let allocation = read(Allocation.self) { writer in
            for amount in [-2, 1000, 1] as [Int64] { writer.write(amount) }
            writer.write([] as [DeviceGrant])
            writer.write(Locality.unknown)
            writer.write([] as [UInt32])
            writer.write(nil as UInt32?)
        }
        #expect(allocation == .malformed("an allocation in a form that is not its own"))
        let request = read(ResourceRequest.self) { writer in
            for amount in [-2, 1000, 1] as [Int64] { writer.write(amount) }
            writer.write(false)
            writer.write(nil as DeviceRequest?)
            writer.write([] as [DeviceRequest])
            writer.write(TopologyRequest.indifferent)
        }
        #expect(request == .malformed("a request in a form that is not its own"))
        let membership = read(NodeMembership.self) { writer in
            writer.write("-2")
            writer.write(Center(id: "bj") as Center?)
            writer.write("")
            writer.write([] as [NamedText])
            writer.write([] as [String])
        }
        #expect(membership == .malformed("a membership in a form that is not its own"))
        let later = read(NodeMembership.self) { writer in
            writer.write("-3")
            writer.write("")
            writer.write([] as [NamedText])
        }
        #expect(later == .malformed("unknown form '-3' of a membership"))
    }

    /// A number below nought would name a form of its own.
    @Test func amountsBelowNoughtAreRefused() {
        let error = read(Allocation.self) { writer in
            for amount in [-2, -2, 1] as [Int64] { writer.write(amount) }
            writer.write([] as [DeviceGrant])
            writer.write(Locality(devices: .numa))
            writer.write([] as [UInt32])
            writer.write(nil as UInt32?)
        }
        #expect(error == .malformed("an allocation in a form that is not its own"))
    }
}
