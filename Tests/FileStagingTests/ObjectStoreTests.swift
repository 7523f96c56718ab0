import Testing

@testable import FileStaging

@Suite struct ObjectStoreTests {
    @Test(
        arguments: [
            (3, "2026/11/21 10:00:00 ERROR : directory not found", "there is nothing"),
            (1, "2026/11/21 10:00:00 ERROR : x: AccessDenied: no\n\tstatus code: 403, request id: , host id: \n", "x: AccessDenied: no"),
            (
                1, "2026/11/21 10:00:00 ERROR : first\n2026/11/21 10:00:01 Failed to copy: the last: one\n\tmore: of it\n",
                "Failed to copy: the last: one"
            ), (1, "", "rclone ended with 1"), (2, "garbage\n", "rclone ended with 2"),
        ] as [(Int32, String, String)])
    func whatWentWrongIsSaidInOneSentence(code: Int32, text: String, reason: String) {
        #expect(ObjectStore.reason(code, text) == reason)
    }

    @Test func namesOfAmazonsToolsArePassedOn() throws {
        let environment = try ObjectStore.environment(
            secret: "# mine\nAWS_ACCESS_KEY_ID = a\n\nAWS_SECRET_ACCESS_KEY=b=c\r\nAWS_ENDPOINT_URL=https://store.example\n")
        #expect(environment["RCLONE_S3_ACCESS_KEY_ID"] == "a")
        #expect(environment["RCLONE_S3_SECRET_ACCESS_KEY"] == "b=c")
        #expect(environment["RCLONE_S3_ENDPOINT"] == "https://store.example")
        #expect(environment["RCLONE_S3_PROVIDER"] == "Other")
        #expect(try ObjectStore.environment(secret: "")["RCLONE_S3_PROVIDER"] == "AWS")
    }

    /// rclone has settings that run programs.
    @Test(arguments: ["RCLONE_PASSWORD_COMMAND=id", "LD_PRELOAD=/tmp/x", "no equals sign", "=x"])
    func otherNamesAreRefused(_ line: String) {
        #expect(throws: StagingError.self) { try ObjectStore.environment(secret: line) }
    }
}
