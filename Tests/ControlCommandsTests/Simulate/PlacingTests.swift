import Foundation
import Testing

@testable import ControlCommands

/// `suanpan simulate` on files, as somebody who has a trace uses it.
struct PlacingTests {
    private static let nodes = "sn,cpu_milli,memory_mib,gpu,model\na,16000,65536,2,V100\nb,16000,65536,0,\n"
    private static let trace = """
        name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos
        whole,4000,1024,1,1000,,LS
        cpu,8000,1024,0,0,,LS
        half,1000,1024,1,500,V100|T4,LS
        other,1000,1024,1,500,T4,LS
        many,1000,1024,3,1000,,LS

        """

    private func inDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appending(path: "suanpan-placing-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await body(directory)
    }

    private func run(_ directory: String, nodes: String = Self.nodes, trace: String = Self.trace, _ more: [String] = []) async throws -> (
        code: Int32, output: String, errors: String
    ) {
        try nodes.write(toFile: "\(directory)/nodes.csv", atomically: true, encoding: .utf8)
        try trace.write(toFile: "\(directory)/trace.csv", atomically: true, encoding: .utf8)
        let console = MemoryConsole()
        let line = ["simulate", "--nodes", "\(directory)/nodes.csv", "--trace", "\(directory)/trace.csv"] + more
        let code = await CommandLineEntry.run(line, in: CommandContext(console: console.console, environment: [:]))
        return (code, console.output.text, console.errors.text)
    }

    @Test func eachTaskHasALineAndTheReportItsFigures() async throws {
        try await inDirectory { directory in
            let files = (placements: "\(directory)/out.csv", report: "\(directory)/report.json", chart: "\(directory)/chart.svg")
            let result = try await run(
                directory, ["--placements", files.placements, "--report", files.report, "--chart", files.chart])
            #expect(result.code == 0, "\(result.errors)")
            let lines = try String(contentsOfFile: files.placements, encoding: .utf8).split(separator: "\n")
            #expect(lines == ["pod,node,gpus", "whole,a,0:1000", lines[2], "half,a,1:500", "other,-,-", "many,-,-"])
            #expect(lines[2].hasPrefix("cpu,") && lines[2].hasSuffix(",-"))
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: files.report))) as? [String: Any])
            let run = try #require((report["runs"] as? [[String: Any]])?.first)
            #expect(run["policy"] as? String == "suanpan" && run["placed"] as? Int == 3 && run["allocatedPercent"] as? Double == 75)
            #expect(try String(contentsOfFile: files.chart, encoding: .utf8).hasPrefix("<svg "))
            #expect(result.output.contains("POLICY") && result.output.contains("75.00 %"))
        }
    }

    @Test func allPoliciesAreComparedInOneTable() async throws {
        try await inDirectory { directory in
            let result = try await run(directory, ["--policy", "all"])
            #expect(
                result.output.split(separator: "\n").map { $0.split(separator: " ")[0] } == [
                    "POLICY", "suanpan", "fgd", "bestfit", "firstfit", "random",
                ])
            let refused = try await run(directory, ["--policy", "all", "--placements", "\(directory)/out.csv"])
            #expect(refused.code == 2 && refused.errors.contains("give --policy once"))
        }
    }

    @Test func tasksMayComeAndGo() async throws {
        try await inDirectory { directory in
            let result = try await run(
                directory, ["--churn", "0.5", "--policy", "suanpan", "--policy", "fgd", "--report", "\(directory)/r.json"])
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.split(separator: "\n").map { $0.split(separator: " ")[0] } == ["POLICY", "suanpan", "fgd"])
            #expect(try String(contentsOfFile: "\(directory)/r.json", encoding: .utf8).contains("suanpan.churn-simulation.v1"))
            #expect(try await run(directory, ["--churn", "0"]).errors.contains("from 0.01 to 10"))
            #expect(try await run(directory, ["--churn", "1", "--chart", "x"]).code == 2)
        }
    }

    @Test func linesMayEndAsOnWindows() async throws {
        try await inDirectory { directory in
            let plain = try await run(directory)
            let other = try await run(directory, trace: Self.trace.replacingOccurrences(of: "\n", with: "\r\n"))
            #expect(other.code == 0 && other.output == plain.output, "\(other.errors)")
        }
    }

    @Test func aCompressedFileIsReadAsItIs() async throws {
        try await inDirectory { directory in
            let plain = try await run(directory)
            let gzip = Process()
            gzip.executableURL = URL(filePath: "/bin/gzip")
            gzip.arguments = ["-9", "\(directory)/trace.csv"]
            try gzip.run()
            gzip.waitUntilExit()
            let console = MemoryConsole()
            let line = ["simulate", "--nodes", "\(directory)/nodes.csv", "--trace", "\(directory)/trace.csv.gz"]
            #expect(await CommandLineEntry.run(line, in: CommandContext(console: console.console, environment: [:])) == 0)
            #expect(console.output.text == plain.output)
        }
    }

    @Test(arguments: [
        ("sn,cpu_milli\na,1\n", Self.trace, "there is no column 'memory_mib'"),
        (Self.nodes, "name,cpu_milli,memory_mib,num_gpu,gpu_milli\nx,1000,64,1,1001\n", "line 2: gpu_milli is '1001'"),
        (Self.nodes, "name,cpu_milli,memory_mib,num_gpu,gpu_milli\nx,-5,64,0,0\n", "line 2: cpu_milli is '-5'"),
        (Self.nodes, "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n", "there is nothing in it but names of columns"),
    ])
    func aFileThatMakesNoSenseIsNamedWithItsLine(nodes: String, trace: String, expected: String) async throws {
        try await inDirectory { directory in
            let result = try await run(directory, nodes: nodes, trace: trace)
            #expect(result.code == 2 && result.errors.contains(expected), "\(result.errors)")
        }
    }

    @Test func whatIsNotThereIsSaid() async throws {
        let console = MemoryConsole()
        let context = CommandContext(console: console.console, environment: [:])
        #expect(await CommandLineEntry.run(["simulate", "--nodes", "/nowhere", "--trace", "/nowhere"], in: context) == 1)
        #expect(console.errors.text.contains("/nowhere: No such file or directory"))
        #expect(await CommandLineEntry.run(["simulate", "--nodes", "/x", "--trace", "/x", "--policy", "best"], in: context) == 2)
        #expect(console.errors.text.contains("expected suanpan, fgd, bestfit, firstfit, random or all"))
    }
}
