import SimulationKit
import Testing

@Suite struct SeededGeneratorTests {
    /// Worlds of neighbouring seeds would be one world that begins a draw later.
    @Test func neighbouringSeedsAndStreamsShareNoDraws() {
        var seen: Set<UInt64> = []
        for seed in 0..<50 as Range<UInt64> {
            for stream in 0..<4 as Range<UInt64> {
                var generator = SeededGenerator(seed: seed, stream: stream)
                for _ in 0..<50 { seen.insert(generator.next()) }
            }
        }
        #expect(seen.count == 50 * 4 * 50)
    }
}
