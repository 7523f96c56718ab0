/// CLOCK_BOOTTIME of one machine: it began somewhere and runs up to 500 parts per million fast or slow.
struct SimulatedClock {
    private var offset: Int64
    private let driftPPM: Int64

    init(chance: inout SeededGenerator) {
        offset = chance.between(0, 1_000_000_000_000)
        driftPPM = chance.between(-500, 500)
    }

    func local(_ world: Int64) -> Int64 { world + world / 1_000_000 * driftPPM + offset }

    /// The first instant of the world at which the local clock has reached `local`.
    func world(_ local: Int64) -> Int64 {
        guard abs(local / 2) < .max / 4 else { return local }
        let guess = local - offset
        var world = guess - guess / 1_000_000 * driftPPM
        while self.local(world) < local { world += max(1, local - self.local(world)) }
        return world
    }

    /// The machine was off and begins to count anew.
    mutating func restart(at world: Int64) { offset = -(world + world / 1_000_000 * driftPPM) + 1_000_000_000 }
}
