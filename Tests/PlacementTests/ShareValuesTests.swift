import Placement
import Testing

@Suite struct ShareValuesTests {
    @Test func piecesThatFillADeviceTogetherShareItsPrice() {
        let values = ShareValues(demand: [600: 10, 400: 10])
        #expect(abs(values.price(ofShare: 600) + values.price(ofShare: 400) - values.value(ofRest: 1000)) < 1e-6)
        #expect(values.loss(placing: 400, intoRest: 400) < 1e-6)
        #expect(values.loss(placing: 600, intoRest: 1000) < 1e-6)
    }

    /// Two of 470 leave 60 that nobody asks for: each is as dear as half a device, and one of 810 as a whole one.
    @Test func whatAPieceSpoilsIsInItsPrice() {
        let values = ShareValues(demand: [470: 20, 810: 10, 1000: 40])
        #expect(abs(values.price(ofShare: 470) * 2 - values.value(ofRest: 1000)) < 1e-6)
        #expect(abs(values.price(ofShare: 810) - values.value(ofRest: 1000)) < 1e-6)
        #expect(values.value(ofRest: 190) == 0)
        #expect(values.loss(placing: 470, intoRest: 530) < 1e-6)
        // Into the rest of a device that a whole 470 could have had twice.
        #expect(values.loss(placing: 810, intoRest: 1000) < 1e-6)
    }

    @Test func aShareThatNobodyExpectsLosesWhatItKeepsFromOthers() {
        let values = ShareValues(demand: [500: 10, 1000: 10])
        #expect(values.loss(placing: 600, intoRest: 1000) >= 0)
        #expect(values.value(ofRest: 400) == 0)
    }

    @Test func nothingExpectedIsWorthNothing() {
        let values = ShareValues(demand: [:])
        #expect(values.value(ofRest: 1000) == 0 && values.loss(placing: 300, intoRest: 1000) == 0)
    }

    /// What must hold of the dual of a maximum: no filling is worth more than the device, more room never less, and nothing is
    /// lost by less than nothing.
    @Test(arguments: UInt64(1)...50) func pricesAreThoseOfAnOptimum(seed: UInt64) {
        var generator = Xorshift(state: seed)
        var demand: [Int64: Double] = [:]
        for _ in 0..<(1 + generator.below(25)) { demand[Int64(1 + generator.below(1000))] = Double(1 + generator.below(1000)) }
        let values = ShareValues(demand: demand)
        for rest in 1...1000 { #expect(values.value(ofRest: Int64(rest)) >= values.value(ofRest: Int64(rest) - 1), "seed \(seed)") }
        for share in demand.keys {
            let price = values.price(ofShare: share)
            #expect(price >= 0 && price <= Double(share) + 1e-6, "seed \(seed): \(share) at \(price)")
            #expect(values.value(ofRest: share) >= price - 1e-6, "seed \(seed)")
            for _ in 0..<20 {
                let rest = Int64(generator.below(Int(1001 - share))) + share
                #expect(values.loss(placing: share, intoRest: rest) >= 0, "seed \(seed)")
            }
        }
    }
}
