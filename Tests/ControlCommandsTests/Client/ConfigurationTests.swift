import FileTestKit
import Glibc
import Testing

@testable import ControlCommands

@Suite("Where the coordinator is")
struct ConfigurationTests {
    private static func withFile(_ text: String, mode: mode_t, _ body: (String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        try directory.write("client.yaml", text, mode: mode)
        try body(directory.path)
    }

    @Test("the file of `suanpan up` is enough")
    func file() throws {
        try Self.withFile("url: http://127.0.0.1:8470\nkey: sp_x\n", mode: 0o600) { directory in
            let configuration = try ClientConfiguration.resolve(dataDirectory: directory, environment: [:])
            #expect(configuration == ClientConfiguration(url: "http://127.0.0.1:8470", key: "sp_x"))
            #expect(try ClientConfiguration.resolve(dataDirectory: nil, environment: ["SUANPAN_DATA_DIR": directory]) == configuration)
        }
    }

    @Test("a file that others can read is refused", arguments: [0o640, 0o604, 0o660] as [mode_t])
    func permissions(mode: mode_t) throws {
        try Self.withFile("url: http://127.0.0.1:8470\nkey: sp_x\n", mode: mode) { directory in
            let failure = try #require(throws: CommandFailure.self) {
                try ClientConfiguration.resolve(dataDirectory: directory, environment: [:])
            }
            #expect(failure.status == .notAllowed)
            #expect(failure.message.contains("can be read by others"))
            #expect(!failure.text.contains("sp_x"))
        }
    }

    @Test("flag before environment before file")
    func order() throws {
        try Self.withFile("url: http://a:1\nkey: sp_a\n", mode: 0o600) { directory in
            let environment = ["SUANPAN_URL": "http://b:2/", "SUANPAN_DATA_DIR": directory]
            let fromEnvironment = try ClientConfiguration.resolve(dataDirectory: nil, environment: environment)
            #expect(fromEnvironment.url == "http://b:2")
            let fromFlag = try ClientConfiguration.resolve(dataDirectory: directory, environment: environment)
            #expect(fromFlag.url == "http://a:1")
            let withKey = try ClientConfiguration.resolve(
                dataDirectory: nil, environment: ["SUANPAN_DATA_DIR": directory, "SUANPAN_API_KEY": "sp_env"])
            #expect(withKey.key == "sp_env")
        }
    }

    @Test("without any, the remedy is `suanpan up`")
    func nothing() throws {
        let failure = try #require(throws: CommandFailure.self) {
            try ClientConfiguration.resolve(dataDirectory: "/nonexistent", environment: [:])
        }
        #expect(failure.status == .unreachable)
        #expect(failure.text.contains("suanpan up"))
    }

    @Test("unknown keys and odd addresses are errors", arguments: ["url: http://a\nurls: b", "url: a:1", "key: x", "[", "- a"])
    func badFile(text: String) throws {
        try Self.withFile(text, mode: 0o600) { directory in
            #expect(throws: CommandFailure.self) { try ClientConfiguration.resolve(dataDirectory: directory, environment: [:]) }
        }
    }

    @Test("the data directory's default depends on who runs this")
    func dataDirectory() {
        #expect(DataDirectory.resolve(option: nil, environment: ["HOME": "/home/ada"], isRoot: false) == "/home/ada/.local/share/suanpan")
        #expect(DataDirectory.resolve(option: nil, environment: ["HOME": "/root"], isRoot: true) == "/var/lib/suanpan")
        #expect(DataDirectory.resolve(option: "/d/", environment: ["SUANPAN_DATA_DIR": "/e"]) == "/d")
    }
}
