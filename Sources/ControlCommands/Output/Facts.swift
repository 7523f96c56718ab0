/// Names and values below each other; what has no value is left out.
enum Facts {
    static func text(_ lines: [(name: String, value: String?)]) -> String {
        let shown = lines.compactMap { line in line.value.map { (line.name, $0) } }
        let width = shown.reduce(0) { max($0, $1.0.count) }
        return shown.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + Printable.line(value) + "\n"
        }.joined()
    }

    /// An object whose fields are not known here, member by member; integers whose names carry a unit are humanised.
    static func text(of object: JSONValue) -> String {
        guard let members = object.members else { return object.yamlText }
        var lines: [(name: String, value: String?)] = []
        var blocks = ""
        for member in members {
            if let text = scalar(member) {
                lines.append((title(member.name), text))
            } else if member.value != .null, member.value.items?.isEmpty != true {
                blocks += "\n\(title(member.name))\n" + indented(member.value.yamlText)
            }
        }
        return text(lines) + blocks
    }

    private static func scalar(_ member: JSONObject.Member) -> String? {
        if let number = member.value.integer {
            if member.name.hasSuffix("Bytes") || member.name.contains("Bytes") { return Humanized.bytes(number) }
            if member.name.lowercased().contains("cpumilli") { return Humanized.cores(milli: number) }
            if member.name.hasPrefix("computeUnitsMilli") { return Humanized.milli(number) }
            if member.name.hasSuffix("Seconds") { return Humanized.duration(seconds: number) }
        }
        return member.value.scalarText
    }

    /// `cpuMilliAllocated` → `CPU milli allocated`, roughly: words apart, the first with a capital.
    private static func title(_ name: String) -> String {
        var output = ""
        for character in name {
            if character.isUppercase, !output.isEmpty { output += " " }
            output += output.isEmpty ? character.uppercased() : character.lowercased()
        }
        return output.replacing("Cpu milli", with: "CPU").replacing("Compute units milli", with: "Compute units").replacing(
            " bytes", with: "")
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
}
