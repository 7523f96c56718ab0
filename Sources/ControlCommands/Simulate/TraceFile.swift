import CZlib
import ClusterModel
import Glibc
import Placement
import SimulationKit

/// A file of comma-separated values whose first line names the columns; gzip files are read as they are.
struct TraceFile {
    private let path: String
    private let columns: [String: Int]
    private let rows: [(line: Int, fields: [Substring])]

    /// More than any trace there is; what claims more is no trace.
    private static let bytesMax = 1 << 30

    init(_ path: String, required: [String]) throws {
        self.path = path
        // By scalars: to characters, CR LF is one that is neither.
        let lines = try Self.read(path).unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
            Substring($0.last == "\r" ? $0.dropLast() : $0)
        }
        let names = (lines.first ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        columns = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
        for name in required where columns[name] == nil {
            throw CommandFailure(
                .usage, "\(path): there is no column '\(name)'",
                remedy: "its first line must name the columns \(required.joined(separator: ","))")
        }
        rows = lines.enumerated().dropFirst().filter { !$1.isEmpty }.map {
            ($0 + 1, $1.split(separator: ",", omittingEmptySubsequences: false))
        }
    }

    private static func read(_ path: String) throws -> String {
        guard let file = gzopen(path, "rb") else {
            throw CommandFailure(.failed, "\(path): \(String(cString: strerror(errno)))")
        }
        defer { gzclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = gzread(file, &chunk, UInt32(chunk.count))
            guard count >= 0 else { throw CommandFailure(.failed, "\(path): it cannot be read, or its compression is damaged") }
            if count == 0 { break }
            bytes += chunk[..<Int(count)]
            guard bytes.count <= bytesMax else { throw CommandFailure(.failed, "\(path): more than 1 GiB") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw CommandFailure(.failed, "\(path): not UTF-8") }
        return text
    }

    /// One row, read by the names of its columns.
    struct Row {
        let path: String
        let line: Int
        let columns: [String: Int]
        let fields: [Substring]

        func text(_ name: String) -> String {
            guard let index = columns[name], index < fields.count else { return "" }
            return String(fields[index])
        }

        func number(_ name: String, in range: ClosedRange<Int64>) throws -> Int64 {
            let text = text(name)
            guard let value = Int64(text), range.contains(value) else {
                throw CommandFailure(
                    .usage, "\(path), line \(line): \(name) is '\(text)'",
                    remedy: "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }

        /// Whole or with decimals, to the millisecond.
        func seconds(_ name: String) throws -> Span {
            let text = text(name)
            guard let value = Double(text), (0...1e9).contains(value) else {
                throw CommandFailure(
                    .usage, "\(path), line \(line): \(name) is '\(text)'", remedy: "expected seconds from 0 to 1000000000")
            }
            return .milliseconds(Int64((value * 1000).rounded()))
        }
    }

    /// The columns that the first line names.
    static func columns(of path: String) throws -> Set<String> { Set(try TraceFile(path, required: []).columns.keys) }

    func map<Value>(_ body: (Row) throws -> Value) throws -> [Value] {
        guard !rows.isEmpty else { throw CommandFailure(.usage, "\(path): there is nothing in it but names of columns") }
        return try rows.map { try body(Row(path: path, line: $0.line, columns: columns, fields: $0.fields)) }
    }
}

extension TraceFile {
    static let nodeColumns = ["sn", "cpu_milli", "memory_mib", "gpu", "model"]
    static let taskColumns = ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"]

    /// Nodes, one a line.
    static func nodes(_ path: String) throws -> [NodeInventory] {
        try TraceFile(path, required: nodeColumns).map { row in
            let model = row.text("model")
            let devices = (0..<UInt32(try row.number("gpu", in: 0...1024))).map {
                Device(
                    index: $0, kind: .gpu, vendor: "", model: model, uuid: "", pciAddress: "", memoryBytes: 0, numaNode: nil)
            }
            return NodeInventory(
                name: row.text("sn"), address: "", cpuMilli: try row.number("cpu_milli", in: 0...100_000_000),
                memoryBytes: try row.number("memory_mib", in: 0...(1 << 30)) << 20, devices: devices)
        }
    }

    /// Tasks in the order of their arrival, one a line; `gpu_spec` names the models that one takes.
    static func tasks(_ path: String) throws -> [PlacementSimulation.Arrival] {
        try TraceFile(path, required: taskColumns).map { row in
            let count = UInt32(try row.number("num_gpu", in: 0...1024))
            let devices =
                count == 0
                ? nil
                : DeviceRequest(
                    kind: .gpu, count: count, shareMilli: try row.number("gpu_milli", in: 1...1000), modelPattern: row.text("gpu_spec"))
            let resources = ResourceRequest(
                cpuMilli: try row.number("cpu_milli", in: 0...100_000_000),
                memoryBytes: try row.number("memory_mib", in: 0...(1 << 30)) << 20,
                devices: devices)
            return PlacementSimulation.Arrival(name: row.text("name"), shape: TaskShape(resources))
        }
    }
}
