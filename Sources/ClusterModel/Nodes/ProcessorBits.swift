/// Processing units as bits, the lowest index first: what the kernel takes, and short where a list would be long.
public enum ProcessorBits {
    /// The highest index that a node may offer: such a set must fit beside all else that a launcher keeps of an attempt.
    public static let indexMax: UInt32 = 2047

    /// In as many bytes as it takes; none for no processor.
    public static func bytes(of processors: [UInt32]) -> [UInt8] {
        guard let last = processors.max() else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(last / 8) + 1)
        for processor in processors { bytes[Int(processor / 8)] |= 1 << UInt8(processor % 8) }
        return bytes
    }

    /// Ascending.
    public static func processors(in bytes: [UInt8]) -> [UInt32] {
        bytes.indices.flatMap { place in
            (0..<8).filter { bytes[place] >> UInt8($0) & 1 == 1 }.map { UInt32(place * 8 + $0) }
        }
    }
}
