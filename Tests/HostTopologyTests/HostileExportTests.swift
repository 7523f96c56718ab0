// What an agent claims to be its topology is drawn by the coordinator: nothing in it may crash or flood that.

import ClusterPorts
import Foundation
import Testing

@testable import HostTopology

struct HostileExportTests {
    private func render(_ xml: String) throws -> String {
        try TopologyText.render(compressedXML: try Compression.compress(Array(xml.utf8)))
    }

    private func machine(_ inner: String) -> String {
        "<topology version=\"2.0\"><object type=\"Machine\">\(inner)</object></topology>"
    }

    @Test func smallestMachineIsDrawn() throws {
        #expect(try render(machine("")) == "Machine\n")
    }

    @Test(arguments: [
        ("", "ends early"), ("<topology version=\"2.0\">", "ends early"), ("<a/>", "root element"),
        ("<topology><object type=\"Machine\"/></topology>", "format '1'"),
        ("<topology version=\"3.0\"><object type=\"Machine\"/></topology>", "format '3.0'"),
        ("<topology version=\"2.0\"/>", "no Machine"), ("<topology version=\"2.0\"><object type=\"PU\"/></topology>", "no Machine"),
        ("<topology version=\"2.0\"><object type=\"Machine\"></topology>", "closes nothing"),
        ("<topology version=\"2.0\"><object type=\"Machine\"/></topology><x/>", "second root"),
        ("<topology version=\"2.0\" version=\"2.0\"/>", "twice"), ("<topology version=2.0/>", "quoted"),
        ("<!DOCTYPE t [<!ENTITY a \"b\">]><topology version=\"2.0\"/>", "declarations of its own"),
        ("<!ENTITY a \"b\">", "other than DOCTYPE"), ("<!--", "ends early"), ("<?xml", "ends early"), ("<", "name"),
        ("<topology version=\"2.0\"><object type=\"&lol;\"/></topology>", "entity"),
        ("<topology version=\"2.0\"><object type=\"&#xd800;\"/></topology>", "entity"),
        ("<topology version=\"2.0\"><object type=\"&", "lone"), ("<topology version=\"2.0\"><object type=\"<\"/>", "inside a value"),
    ])
    func malformedExportIsRefusedWithItsReason(_ xml: String, _ reason: String) {
        #expect {
            _ = try render(xml)
        } throws: { error in
            (error as? DiscoveryError)?.message.contains(reason) == true
        }
    }

    @Test func deepNestingIsRefused() {
        let deep = String(repeating: "<object type=\"Group\">", count: 100_000)
        #expect(throws: DiscoveryError.self) { try render("<topology version=\"2.0\">" + deep) }
    }

    @Test func numberlessElementsAreRefused() {
        let many = String(repeating: "<object type=\"PU\"/>", count: 300_000)
        #expect(throws: DiscoveryError.self) { try render(machine(many)) }
    }

    @Test func hugeTreeIsCut() throws {
        let many = (0..<50_000).map { "<object type=\"Package\"><info name=\"CPUModel\" value=\"\($0)\"/></object>" }.joined()
        let lines = try render(machine(many)).split(separator: "\n")
        #expect(lines.count == TopologyText.linesMax + 1)
        #expect(lines.last?.hasPrefix("… cut") == true)
    }

    @Test func compressionBombIsRefused() throws {
        let bomb = try Compression.compress([UInt8](repeating: 0x20, count: TopologyLimits.xmlBytes + 1))
        #expect(bomb.count < 20_000)
        #expect(throws: DiscoveryError.self) { try TopologyText.render(compressedXML: bomb) }
        let blanks = [UInt8](repeating: 0x20, count: TopologyLimits.xmlBytes + 1)
        #expect(throws: DiscoveryError.self) { try HwlocDiscovery(.xml(blanks), digest: length).inventory() }
    }

    @Test func damagedStreamIsRefused() throws {
        let good = try Compression.compress(Array(machine("").utf8))
        #expect(try Compression.decompress(good, limit: 1000) == Array(machine("").utf8))
        for bad in [[], Array(good.dropLast()), good + [0], Array("plain text".utf8)] {
            #expect(throws: DiscoveryError.self) { try TopologyText.render(compressedXML: bad) }
        }
    }

    @Test func controlCharactersDoNotReachTheTerminal() throws {
        let text = try render(machine("<object type=\"Package\"><info name=\"CPUModel\" value=\"a&#27;[2Jb&#10;c\u{202e}d\"/></object>"))
        #expect(text == "Machine\n  Package 0: a?[2Jb?c?d\n")
        let long = try render(machine("<object type=\"Package\" subtype=\"\(String(repeating: "x", count: 10_000))\"/>"))
        #expect(long.count < 300)
    }

    @Test func absurdNumbersAreDrawnAsTheyCome() throws {
        let text = try render(
            machine(
                """
                <object type="NUMANode" os_index="4294967296000" local_memory="9223372036854775807"/>
                <object type="NUMANode" local_memory="9223372036854775807"/><object type="NUMANode" local_memory="-5"/>
                <object type="L2Cache" cache_size="18446744073709551615"/>
                <object type="PCIDev" pci_busid="zz" pci_type="0302"/>
                <object type="PCIDev" pci_busid="ffff:ff:1f.7" pci_type="0302 [10de:2330]"/>
                """))
        #expect(text.contains("NUMA node 4294967296000: 7.9 EiB"))
        #expect(text.contains("GPU 0: nvidia, ffff:ff:1f.7"))
    }

    /// Random damage to a whole export: drawn or refused, and nothing else.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func damagedExportIsDrawnOrRefused(_ seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let original = try Topology(.synthetic("pack:2 [numa(memory=1GiB)] l3:2 l2:2 core:1 pu:2")).exportXML()
        var outcomes = (drawn: 0, refused: 0)
        for _ in 0..<250 {
            var xml = original
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let position = Int.random(in: 0..<xml.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: xml[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: xml.removeSubrange(position..<min(xml.count, position + Int.random(in: 1...400, using: &generator)))
                case 2: xml.insert(contentsOf: xml[position...].prefix(200), at: position)
                default: xml.insert(contentsOf: Array("\"<>&/=".utf8).shuffled(using: &generator).prefix(2), at: position)
                }
                if xml.isEmpty { xml = original }
            }
            let compressed = try Compression.compress(xml)
            do {
                _ = try TopologyText.render(compressedXML: compressed)
                outcomes.drawn += 1
            } catch {
                outcomes.refused += 1
            }
        }
        #expect(outcomes.drawn + outcomes.refused == 250)
        #expect(outcomes.refused > 0)
    }

    /// A small generator with a seed, so that a failure can be repeated (Steele, Lea, Flood: SplitMix64).
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }
}
