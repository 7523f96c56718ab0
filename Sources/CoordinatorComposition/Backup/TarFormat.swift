// The one archive format that every system can open: POSIX.1-1988 ustar, with sizes above 8 GiB in base 256 as GNU tar
// writes them. Only plain files; nothing else is ever in a backup, and nothing else is accepted from one.

import DaemonKit
import Glibc

enum TarFormat {
    static let blockBytes = 512
    private static let nameMax = 100

    /// A member as its header tells it.
    struct Member: Hashable {
        var name: String
        var size: Int64
        /// Seconds since 1970.
        var modified: Int64
    }

    static func padding(after size: Int64) -> Int { Int((Int64(blockBytes) - size % Int64(blockBytes)) % Int64(blockBytes)) }

    // MARK: Writing

    static func header(of member: Member) throws -> [UInt8] {
        guard member.name.utf8.count < nameMax else { throw StartError("the name \(member.name) is too long for a backup") }
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        put(member.name, at: 0)
        put("0000600", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        if member.size < 1 << 33 {
            put(octal(member.size, digits: 11), at: 124)
        } else {
            block[124] = 0x80
            for index in 0..<8 { block[128 + index] = UInt8(truncatingIfNeeded: member.size >> Int64(8 * (7 - index))) }
        }
        put(octal(max(0, min(member.modified, 0o77777777777)), digits: 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(checksum(of: block), digits: 6), at: 148)
        block[154] = 0
        return block
    }

    private static func octal(_ value: Int64, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The sum of all bytes, those of the checksum itself counted as blanks.
    private static func checksum(of block: [UInt8]) -> Int64 {
        block.indices.reduce(0) { $0 + Int64((148..<156).contains($1) ? 0x20 : block[$1]) }
    }

    // MARK: Reading

    /// nil for the block of zeros at the end.
    static func member(header block: [UInt8]) throws -> Member? {
        guard block.contains(where: { $0 != 0 }) else { return nil }
        guard try number(block[148..<156]) == checksum(of: block) else { throw StartError("a header of the backup is damaged") }
        guard block[257..<262].elementsEqual("ustar".utf8), block[156] == UInt8(ascii: "0"), block[345] == 0 else {
            throw StartError("the backup holds something else than plain files: it was not made by this project")
        }
        let name = String(decoding: block[0..<nameMax].prefix { $0 != 0 }, as: UTF8.self)
        return Member(name: name, size: try number(block[124..<136]), modified: try number(block[136..<148]))
    }

    private static func number(_ field: ArraySlice<UInt8>) throws -> Int64 {
        if field.first == 0x80 {
            guard field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { throw StartError("a header of the backup is damaged") }
            let value = field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard let signed = Int64(exactly: value) else { throw StartError("a header of the backup is damaged") }
            return signed
        }
        let digits = field.prefix { $0 != 0 && $0 != 0x20 }
        guard let value = Int64(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else {
            throw StartError("a header of the backup is damaged")
        }
        return value
    }
}
