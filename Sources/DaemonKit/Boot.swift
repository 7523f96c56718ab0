import Foundation

/// The kernel's identifier of this boot: another one means that everything in memory is gone.
public enum Boot {
    /// 36 characters.
    public static func identifier() throws -> String {
        let text = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let identifier = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard identifier.filter(\.isHexDigit).count == 32 else { throw StartError("/proc/sys/kernel/random/boot_id cannot be read") }
        return identifier
    }

    /// 16 bytes.
    public static func bytes() throws -> [UInt8] {
        let digits = try identifier().filter(\.isHexDigit)
        return stride(from: 0, to: 32, by: 2).map { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
    }
}
