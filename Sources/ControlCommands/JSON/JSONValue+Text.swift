extension JSONValue {
    /// One line, no spaces: what requests and `jsonl` carry.
    var compactText: String {
        var output = ""
        write(to: &output, indentation: nil)
        return output
    }

    /// Two spaces a level, for people and for `diff`.
    var prettyText: String {
        var output = ""
        write(to: &output, indentation: 0)
        return output
    }

    private func write(to output: inout String, indentation: Int?) {
        switch self {
        case .null: output += "null"
        case .bool(let flag): output += flag ? "true" : "false"
        case .number(let literal): output += literal
        case .string(let text): Self.write(quoted: text, to: &output)
        case .array(let items):
            Self.write(items, between: ("[", "]"), to: &output, indentation: indentation) { item, output, inner in
                item.write(to: &output, indentation: inner)
            }
        case .object(let object):
            Self.write(object.members, between: ("{", "}"), to: &output, indentation: indentation) { member, output, inner in
                Self.write(quoted: member.name, to: &output)
                output += inner == nil ? ":" : ": "
                member.value.write(to: &output, indentation: inner)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], between brackets: (String, String), to output: inout String, indentation: Int?,
        each: (Element, inout String, Int?) -> Void
    ) {
        output += brackets.0
        let inner = indentation.map { $0 + 1 }
        for (index, element) in elements.enumerated() {
            if index > 0 { output += "," }
            if let inner { output += "\n" + String(repeating: "  ", count: inner) }
            each(element, &output, inner)
        }
        if let indentation, !elements.isEmpty { output += "\n" + String(repeating: "  ", count: indentation) }
        output += brackets.1
    }

    /// `text` in quotes; control characters as escapes, so that no reply can steer a terminal.
    static func write(quoted text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            default:
                if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
                    let digits = String(scalar.value, radix: 16)
                    output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    output.unicodeScalars.append(scalar)
                }
            }
        }
        output += "\""
    }

    /// Block-style YAML 1.2. Strings are written plain only where every YAML version reads them as that string.
    var yamlText: String {
        var output = ""
        writeYAML(to: &output, indentation: 0, isInline: false)
        return output
    }

    private func writeYAML(to output: inout String, indentation: Int, isInline: Bool) {
        let margin = String(repeating: " ", count: indentation)
        switch self {
        case .array(let items) where !items.isEmpty:
            for (index, item) in items.enumerated() {
                output += (index == 0 && isInline ? "" : margin) + "- "
                item.writeYAML(to: &output, indentation: indentation + 2, isInline: true)
            }
        case .object(let object) where !object.isEmpty:
            for (index, member) in object.members.enumerated() {
                output += index == 0 && isInline ? "" : margin
                output += Self.yamlScalar(member.name) + ":"
                if member.value.isYAMLBlock {
                    output += "\n"
                    member.value.writeYAML(to: &output, indentation: indentation + 2, isInline: false)
                } else {
                    output += " "
                    member.value.writeYAML(to: &output, indentation: 0, isInline: true)
                }
            }
        case .string(let text): output += Self.yamlScalar(text) + "\n"
        default: output += compactText + "\n"
        }
    }

    private var isYAMLBlock: Bool {
        switch self {
        case .array(let items): !items.isEmpty
        case .object(let object): !object.isEmpty
        default: false
        }
    }

    private static func yamlScalar(_ text: String) -> String {
        let reserved: Set = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"]
        let isWord = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"): true
            default: false
            }
        }
        let startsAsWord = text.first.map { $0.isLetter || $0 == "_" || $0 == "/" } ?? false
        if isWord, startsAsWord, !reserved.contains(text.lowercased()) { return text }
        var output = ""
        write(quoted: text, to: &output)
        return output
    }
}
