// The bytes of each sample in its newest version. A line is only ever added: what an older version looked like moves below.

let goldenBytes: [EventKind: String] = [
    .clusterFounded: "010110000102030405060708090a0b0c0d0e0faab4eeb8b7a4eab331",
    .leadershipBegan: "020103aab4eeb8b7a4eab331",
    .timersDue: "1701aab4eeb8b7a4eab331",
    .idempotencyExpired: "0b01aab4eeb8b7a4eab331",
    .hourCut: "1601aab4eeb8b7a4eab331",
    .jobAccepted:
        "0301ac0205737765657001036c616206766973696f6e056e69676874090101046d61696e02e8078080808008010101f4038080808040"
        + "02482a01047a6f6e6503016202092f62696e2f7472756501780105544f4b454e020909042f73727601009f8d063201c8010101aab4ee"
        + "b8b7a4eab3310180e0ba84bf0380c8afa02502020e1002636b020205737461676503646576047465616d0372656405616c6963650103"
        + "6b2d3102aabb01ab02aab4eeb8b7a4eab331",
    .jobCancelRequested: "0401ac02aab4eeb8b7a4eab331",
    .waitingUnitsCancelled: "0501ac02aab4eeb8b7a4eab331",
    .unitsPlaced: "0601ac0201f0a204010109a08d06d00f808080800800aab4eeb8b7a4eab331",
    .successorsGranted: "1801ac020101f0a20409a00602f1a204a106f2a204a206aab4eeb8b7a4eab331",
    .successorReturned: "1901ac02f0a2040109aab4eeb8b7a4eab331",
    .attemptStarted: "0701ac02f0a20401809bee02aab4eeb8b7a4eab331",
    .unitStopRequested: "0801ac02f0a20480b09dc2df0114aab4eeb8b7a4eab331",
    .attemptEnded: "0901ac02f0a2040109010000a48bb099098efa8efc059c85e30bf0010000000500010500aab4eeb8b7a4eab331",
    .jobFinished: "0a01ac0206160eaab4eeb8b7a4eab331",
    .nodeEnrolled: "0c020908776f726b65722d3903010203020405aab4eeb8b7a4eab331036c616204613130300104" + "7261636b027231",
    .nodeRegistered:
        "0d01092c8080808080808080100206070108776f726b65722d390831302e302e302e39807d808080808001010001066e76696469610b"
        + "4e56494449412048323030054750552d310c303030303a30313a30302e308080808080080100067838365f363403616e790101010808"
        + "080101010801047a6f6e65016100aab4eeb8b7a4eab331",
    .nodeSuspected: "0e0109aab4eeb8b7a4eab331",
    .nodeSilenced: "0f01090aaab4eeb8b7a4eab331",
    .nodeCordoned: "10010901aab4eeb8b7a4eab331",
    .nodeRemoved: "110109aab4eeb8b7a4eab331",
    .nodeDrainBegan: "1a010901aab4eeb8b7a4eab331aab4eeb8b7a4eab331",
    .nodeDrainDue: "1b0109aab4eeb8b7a4eab331",
    .joinTokenCreated: "120201010102aab4eeb8b7a4eab3310a046770752d036c616204613130300104" + "7261636b027231",
    .keyCreated: "13010830613162326333640103036c616205616c69636503aab4eeb8b7a4eab331",
    .keyRevoked: "1401083061316232633364aab4eeb8b7a4eab331",
    .userSet: "150105616c69636501e90764aab4eeb8b7a4eab331",
]

/// Older versions, which are still read.
let olderGoldenBytes: [EventKind: [String]] = [
    .nodeEnrolled: ["0c010908776f726b65722d3903010203020405aab4eeb8b7a4eab331"],
    .joinTokenCreated: ["120101010102aab4eeb8b7a4eab3310a046770752d"],
]
