// A reader of hwloc's XML export (format 2) for exports that came over the network.
//
// hwloc itself is not asked: its parser trusts its input, and about three in a hundred randomly damaged exports
// crash hwloc 2.9. This one is plain Swift over bytes. It reads the subset of XML that hwloc writes, and refuses
// the rest with the byte's position: no entities of a document's own, no markup in a DOCTYPE, matching tags.
//
// Invariants: no recursion over the input; depth, elements and attributes are bounded, so is the memory used.

import ClusterPorts

struct TopologyDocument {
    enum Limits {
        /// Real machines reach about 20: the processor side some 10 levels, PCI bridges as many again.
        static let depth = 100
        /// A machine with 384 processing units has about 2,500 elements.
        static let elements = 250_000
        static let attributes = 64
        static let nameBytes = 64
    }

    /// One `<object>`.
    struct Object {
        var attributes: [String: String] = [:]
        /// Name-value pairs from `<info>`; on a repeated name the first counts.
        var infos: [String: String] = [:]
        /// Positions in `objects`, each greater than the object's own.
        var children: [Int] = []

        var type: String { attributes["type"] ?? "" }
    }

    /// The machine is the first.
    private(set) var objects: [Object] = []

    init(xml: [UInt8]) throws(DiscoveryError) {
        var scanner = MarkupScanner(bytes: xml)
        /// Open elements with the position of the object they are, if they are one.
        var open: [(name: String, object: Int?)] = []
        var elements = 0
        var hasEnded = false
        while let mark = try scanner.next() {
            switch mark {
            case .start(let name, let attributes, let isEmpty):
                elements += 1
                guard elements <= Limits.elements, open.count < Limits.depth else {
                    throw scanner.failure("more elements or deeper nesting than any machine has")
                }
                guard !hasEnded else { throw scanner.failure("a second root element") }
                if open.isEmpty { try Self.checkRoot(name, attributes, scanner) }
                let object = add(name, attributes, parent: open.last?.object)
                if !isEmpty { open.append((name, object)) } else if open.isEmpty { hasEnded = true }
            case .end(let name):
                guard open.popLast()?.name == name else { throw scanner.failure("</\(name)> closes nothing") }
                if open.isEmpty { hasEnded = true }
            }
        }
        guard hasEnded else { throw scanner.failure("the document ends early") }
        guard objects.first?.type == "Machine" else { throw scanner.failure("there is no Machine object") }
    }

    private static func checkRoot(_ name: String, _ attributes: [String: String], _ scanner: MarkupScanner) throws(DiscoveryError) {
        guard name == "topology" else { throw scanner.failure("the root element is not <topology>") }
        guard attributes["version"]?.hasPrefix("2.") == true else {
            throw scanner.failure("the export has format '\(attributes["version"] ?? "1")', expected 2.x")
        }
    }

    /// What a drawing needs; an object of a large machine also carries six sets of thousands of digits.
    private static let keptAttributes: Set<String> = [
        "type", "subtype", "name", "os_index", "local_memory", "cache_size", "pci_busid", "pci_type", "osdev_type",
    ]

    /// Keeps objects and their infos; everything else (distances, support flags) is read over. The result is the
    /// object that the element's children belong to.
    private mutating func add(_ name: String, _ attributes: [String: String], parent: Int?) -> Int? {
        switch name {
        case "object":
            let position = objects.count
            // Objects hang on objects; only the first may stand alone.
            guard parent != nil || position == 0 else { return nil }
            objects.append(Object(attributes: attributes.filter { Self.keptAttributes.contains($0.key) }))
            if let parent { objects[parent].children.append(position) }
            return position
        case "info":
            if let parent, let name = attributes["name"], let value = attributes["value"], objects[parent].infos[name] == nil {
                objects[parent].infos[name] = value
            }
            return nil
        default:
            return nil
        }
    }
}

/// Splits XML into start and end tags; text, comments and declarations are read over.
private struct MarkupScanner {
    enum Mark {
        case start(name: String, attributes: [String: String], isEmpty: Bool)
        case end(name: String)
    }

    private let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ reason: String) -> DiscoveryError {
        DiscoveryError("the topology is not a valid export of hwloc: \(reason) (byte \(min(position, bytes.count)))")
    }

    /// The next tag; nil at the end.
    mutating func next() throws(DiscoveryError) -> Mark? {
        while let open = bytes[position...].firstIndex(of: UInt8(ascii: "<")) {
            position = open + 1
            switch current {
            case UInt8(ascii: "?"): try skip(past: "?>")
            case UInt8(ascii: "!"):
                if has("!--") { try skip(past: "-->") } else { try skipDeclaration() }
            case UInt8(ascii: "/"):
                position += 1
                let name = try readName()
                skipBlanks()
                try expect(UInt8(ascii: ">"))
                return .end(name: name)
            default:
                return try readStart()
            }
        }
        position = bytes.count
        return nil
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func has(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    }

    private mutating func skip(past text: StaticString) throws(DiscoveryError) {
        while position < bytes.count {
            if has(text) {
                position += text.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw failure("the document ends early")
    }

    /// `<!DOCTYPE topology SYSTEM "hwloc2.dtd">`: nothing is fetched, and declarations inside are refused.
    private mutating func skipDeclaration() throws(DiscoveryError) {
        guard has("!DOCTYPE") else { throw failure("a declaration other than DOCTYPE") }
        while let byte = current, byte != UInt8(ascii: ">") {
            guard byte != UInt8(ascii: "["), byte != UInt8(ascii: "<") else { throw failure("declarations of its own") }
            position += 1
        }
        try expect(UInt8(ascii: ">"))
    }

    private mutating func readStart() throws(DiscoveryError) -> Mark {
        let name = try readName()
        var attributes: [String: String] = [:]
        while true {
            skipBlanks()
            switch current {
            case UInt8(ascii: ">"):
                position += 1
                return .start(name: name, attributes: attributes, isEmpty: false)
            case UInt8(ascii: "/"):
                position += 1
                try expect(UInt8(ascii: ">"))
                return .start(name: name, attributes: attributes, isEmpty: true)
            default:
                guard attributes.count < TopologyDocument.Limits.attributes else { throw failure("too many attributes") }
                let key = try readName()
                skipBlanks()
                try expect(UInt8(ascii: "="))
                skipBlanks()
                guard attributes.updateValue(try readValue(), forKey: key) == nil else { throw failure("attribute \(key) twice") }
            }
        }
    }

    private mutating func readName() throws(DiscoveryError) -> String {
        let start = position
        while let byte = current, Self.isNameByte(byte) { position += 1 }
        guard position > start, position - start <= TopologyDocument.Limits.nameBytes else { throw failure("a name is expected here") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private mutating func readValue() throws(DiscoveryError) -> String {
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw failure("a quoted value is expected here")
        }
        position += 1
        var value: [UInt8] = []
        while let byte = current, byte != quote {
            switch byte {
            case UInt8(ascii: "<"): throw failure("'<' inside a value")
            case UInt8(ascii: "&"): value += try readReference().utf8
            default:
                value.append(byte)
                position += 1
            }
        }
        try expect(quote)
        return String(decoding: value, as: UTF8.self)
    }

    /// The five predefined entities and character references.
    private mutating func readReference() throws(DiscoveryError) -> String {
        let start = position + 1
        guard let end = bytes[start...].prefix(10).firstIndex(of: UInt8(ascii: ";")) else { throw failure("a lone '&'") }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        let predefined = ["lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'"]
        if let text = predefined[name] {
            position = end + 1
            return text
        }
        let code = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
        guard let scalar = code.flatMap(Unicode.Scalar.init) else { throw failure("an entity other than the predefined") }
        position = end + 1
        return String(scalar)
    }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || (0x09...0x0d).contains(byte) { position += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(DiscoveryError) {
        guard current == byte else { throw failure("'\(Character(Unicode.Scalar(byte)))' is expected here") }
        position += 1
    }
}
