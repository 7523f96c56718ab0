import ClusterModel
import Testing

@Suite struct TableTests {
    private func table(_ numbers: [UInt64]) -> Table<JobID, UInt64> {
        var table = Table<JobID, UInt64>()
        for number in numbers { table.set(number, for: JobID(number)) }
        return table
    }

    /// After a restore identifiers go on far beyond the last: what lies between must cost nothing.
    @Test func identifiersFarApartCostNoMoreThanTheirRows() {
        let far: UInt64 = 1_795_297_220_001
        var table = table([2, 1, far, far + 1, 3, 1_800_000_000])
        #expect(table.ids.map(\.value) == [1, 2, 3, 1_800_000_000, far, far + 1])
        #expect(table.pageCount < 10)
        #expect(table[JobID(3)] == 3 && table[JobID(far)] == far && table[JobID(far - 64)] == nil)
        #expect(table.update(JobID(1_800_000_000)) { $0 += 1 } != nil)
        #expect(table[JobID(1_800_000_000)] == 1_800_000_001)
        for number: UInt64 in [1, 2, 3] { #expect(table.remove(JobID(number)) == number) }
        #expect(table.count == 3 && table[JobID(2)] == nil && table[JobID(far + 1)] == far + 1)
        table.set(7, for: JobID(7))
        #expect(table.ids.map(\.value) == [7, 1_800_000_000, far, far + 1])
    }

    /// Against a dictionary, over identifiers near each other, far apart, and in between.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func itHoldsWhatADictionaryHolds(_ seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var table = Table<JobID, UInt64>()
        var known: [UInt64: UInt64] = [:]
        for step in 0..<2000 as Range<UInt64> {
            let number = next(4) * [1, 1_000_000, 1_048_576 * 3, 1 << 40][Int(next(4))] + next(2000) + 1
            if next(3) == 0 {
                #expect(table.remove(JobID(number)) == known.removeValue(forKey: number))
            } else {
                table.set(step, for: JobID(number))
                known[number] = step
            }
        }
        #expect(table.count == known.count)
        #expect(table.ids.map(\.value) == known.keys.sorted())
        #expect(table.ids.allSatisfy { table[$0] == known[$0.value] })
    }
}
