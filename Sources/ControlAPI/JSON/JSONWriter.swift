import ClusterModel

// Writes a reply straight into bytes, members in the order of the code. No intermediate tree: lists of ten thousand
// tasks cost one buffer.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    /// A separator is due before the next member or item.
    private var needsComma = false

    init(capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

    /// A document that is one object.
    static func object(capacity: Int = 1024, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.object(body)
        return writer.bytes
    }

    // MARK: - Structure

    mutating func object(_ body: (inout JSONWriter) -> Void) { enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body) }
    mutating func array(_ body: (inout JSONWriter) -> Void) { enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), body) }

    private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(open)
        needsComma = false
        body(&self)
        bytes.append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func name(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: - Values

    mutating func value(_ text: String) {
        separate()
        quote(text)
    }

    mutating func value(_ number: some FixedWidthInteger) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    mutating func value(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    // MARK: - Members

    mutating func member(_ key: StaticString, _ text: String) {
        name(key)
        value(text)
    }

    mutating func member(_ key: StaticString, _ text: String?) {
        name(key)
        if let text { value(text) } else { null() }
    }

    mutating func member(_ key: StaticString, _ number: some FixedWidthInteger) {
        name(key)
        value(number)
    }

    mutating func member(_ key: StaticString, _ number: (some FixedWidthInteger)?) {
        name(key)
        if let number { value(number) } else { null() }
    }

    mutating func member(_ key: StaticString, _ flag: Bool) {
        name(key)
        value(flag)
    }

    mutating func member(_ key: StaticString, _ flag: Bool?) {
        name(key)
        if let flag { value(flag) } else { null() }
    }

    mutating func member(_ key: StaticString, _ time: LogicalTime) {
        name(key)
        value(Timestamp.text(time))
    }

    mutating func member(_ key: StaticString, _ time: LogicalTime?) {
        name(key)
        if let time { value(Timestamp.text(time)) } else { null() }
    }

    mutating func member(_ key: StaticString, _ body: (inout JSONWriter) -> Void) {
        name(key)
        object(body)
    }

    mutating func member(_ key: StaticString, strings: some Sequence<String>) {
        name(key)
        array { for text in strings { $0.value(text) } }
    }

    mutating func member<Item>(_ key: StaticString, items: some Sequence<Item>, _ body: (inout JSONWriter, Item) -> Void) {
        name(key)
        array { for item in items { body(&$0, item) } }
    }

    mutating func null(_ key: StaticString) {
        name(key)
        null()
    }

    /// An object whose names are data, such as labels.
    mutating func member(_ key: StaticString, map: some Sequence<(name: String, text: String)>) {
        member(key, named: map.lazy.map { ($0.name, $0.text) }) { $0.value($1) }
    }

    mutating func member(_ key: StaticString, numbers: some Sequence<(name: String, number: Int64)>) {
        member(key, named: numbers.lazy.map { ($0.name, $0.number) }) { $0.value($1) }
    }

    private mutating func member<Item>(
        _ key: StaticString, named items: some Sequence<(String, Item)>, _ body: (inout JSONWriter, Item) -> Void
    ) {
        member(key) { writer in
            for (name, item) in items {
                writer.separate()
                writer.quote(name)
                writer.bytes.append(UInt8(ascii: ":"))
                writer.needsComma = false
                body(&writer, item)
            }
        }
    }

    // MARK: - Text

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: utf8)
            } else {
                for byte in utf8 { append(escaping: byte) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(escaping byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0..<0x20:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(contentsOf: Hexadecimal.text(CollectionOfOne(byte)).utf8)
        default: bytes.append(byte)
        }
    }
}
