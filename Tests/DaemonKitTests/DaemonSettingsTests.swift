import DaemonKit
import Foundation
import Testing

@Suite("Settings of daemons")
struct DaemonSettingsTests {
    private static func settings(
        flags: [String: String?] = [:], lists: [String: [String]] = [:], environment: [String: String] = [:], file: String? = nil
    ) throws -> DaemonSettings {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        if let file { try file.write(toFile: path, atomically: true, encoding: .utf8) }
        let all: [String: String?] = ["data-dir": nil, "root": nil]
        return try DaemonSettings(
            flags: all.merging(flags) { $1 }, lists: ["labels": []].merging(lists) { $1 }, environment: environment, prefix: "X_",
            file: file == nil ? nil : path,
            defaultFile: "/nonexistent")
    }

    @Test("flags win over environment, environment over file")
    func precedence() throws {
        let file = "data-dir: file\nlabels: {zone: a, rack: r1}\nroot: yes"
        let environment = ["X_DATA_DIR": "environment", "DATA_DIR": "another"]
        #expect(try Self.settings(flags: ["data-dir": "flag"], environment: environment, file: file)["data-dir"] == "flag")
        #expect(try Self.settings(environment: environment, file: file)["data-dir"] == "environment")
        #expect(try Self.settings(file: file)["data-dir"] == "file")
        #expect(try Self.settings()["data-dir"] == nil)
        #expect(try Set(Self.settings(file: file).list("labels")) == ["zone=a", "rack=r1"])
        #expect(try Self.settings(file: "labels: [gpu, fast]").list("labels") == ["gpu", "fast"])
        #expect(try Self.settings(environment: ["X_LABELS": "a=1,b"], file: file).list("labels") == ["a=1", "b"])
        // A comma on the command line is part of its value.
        let flagged = try Self.settings(lists: ["labels": ["models=a,b"]], environment: ["X_LABELS": "c"], file: file)
        #expect(flagged.list("labels") == ["models=a,b"])
        #expect(try Self.settings(environment: ["X_DATA_DIR": "/a,b"])["data-dir"] == "/a,b")
        #expect(try Self.settings(file: file).flag("root"))
        #expect(try !Self.settings(file: "# nothing").flag("root"))
    }

    @Test(
        "what a file may not say is named",
        arguments: [
            ("data-dri: x", "unknown key 'data-dri'; valid: data-dir, labels, root"), ("- a", "expected `key: value` lines"),
            ("labels: {a: {b: c}}", "labels: expected a text"), ("a: [", "is not YAML"),
        ])
    func faults(file: String, message: String) {
        let error = #expect(throws: StartError.self) { try Self.settings(file: file) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("a flag is true or false")
    func flags() throws {
        let error = #expect(throws: StartError.self) { try Self.settings(environment: ["X_ROOT": "perhaps"]).flag("root") }
        #expect(error?.description == "root: 'perhaps'; expected true or false")
    }

    @Test("a file that was named must be there")
    func missing() {
        #expect(throws: StartError.self) {
            try DaemonSettings(flags: [:], environment: [:], prefix: "X_", file: "/nonexistent", defaultFile: "/nonexistent")
        }
    }
}
