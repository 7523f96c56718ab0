/// CRC-32C (Castagnoli, as in RFC 3720 appendix B.4): tells a damaged record from a sound one. It guards against
/// disks and torn writes, not against people; the usage ledger has its hash chain for those.
public enum CRC32C {
    /// The reflected polynomial 0x1EDC6F41, one entry for each byte.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 0 ? rest >> 1 : (rest >> 1) ^ 0x82F6_3B78 }
    }

    public static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        let table = table
        var checksum = UInt32.max
        for byte in bytes { checksum = (checksum >> 8) ^ table[Int((checksum ^ UInt32(byte)) & 0xFF)] }
        return ~checksum
    }
}
