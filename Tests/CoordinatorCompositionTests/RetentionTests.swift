import ClusterModel
import DaemonKit
import Foundation
import Testing

@testable import CoordinatorComposition

@Suite struct LogRetentionTests {
    private let now = LogicalTime(nanoseconds: 1_800_000_000_000_000_000)
    private let day: Int64 = 86_400

    /// Output of jobs 1 to 4, last added to so many days ago.
    private func makeOutput(days: [UInt64: Int64]) throws -> String {
        let directory = FileManager.default.temporaryDirectory.appending(path: "logs-\(UUID().uuidString)").path()
        for (job, age) in days {
            let folder = "\(directory)/\(job)/\(job)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for index in 0..<3 { try Data("said".utf8).write(to: URL(filePath: "\(folder)/\(index).1.out")) }
            let changed = Date(timeIntervalSince1970: Double(now.nanoseconds / 1_000_000_000 - age * day))
            try FileManager.default.setAttributes([.modificationDate: changed], ofItemAtPath: folder)
        }
        return directory
    }

    @Test func onlyOutputOfJobsThatEndedLongAgoGoes() async throws {
        let directory = try makeOutput(days: [1: 40, 2: 40, 3: 40, 4: 10, 5: 40])
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let owners: [JobID: OutputOwner] = [
            JobID(1): .ended(at: now + .seconds(-35 * day)), JobID(2): .live, JobID(3): .ended(at: now + .seconds(-1)),
            JobID(4): .ended(at: now + .seconds(-35 * day)),
        ]
        let retention = LogRetention(directory: directory, pause: {}) { owners[$0] ?? .unknown }
        try await retention.run(cutoff: now + .seconds(-30 * day))
        let left = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        #expect(left == ["2", "3", "4"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)/2/2").count == 3)
    }
}

@Suite struct RetentionSettingsTests {
    private func policy(_ flags: [String: String?]) throws -> RetentionPolicy {
        try CoordinatorSettings(
            DaemonSettings(flags: flags, environment: [:], prefix: "SUANPAN_", file: nil, defaultFile: "/nonexistent")
        ).retention()
    }

    @Test func silenceMeansTheDefaults() throws {
        #expect(try policy([:]) == RetentionPolicy(jobs: .seconds(90 * 86_400), logs: .seconds(30 * 86_400)))
    }

    @Test func eachIsSetByItself() throws {
        #expect(try policy(["retain-jobs": "forever", "retain-logs": "7d"]) == RetentionPolicy(jobs: nil, logs: .seconds(7 * 86_400)))
    }

    @Test(arguments: ["", "1h", "soon", "-1d"])
    func lessThanADayIsRefused(_ text: String) {
        let error = #expect(throws: StartError.self) { try policy(["retain-jobs": text]) }
        #expect(error?.description.contains("retain-jobs") == true)
    }
}
