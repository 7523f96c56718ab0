enum GoldenBytes {
    static let agent: [String] = ["", "", "", "", ""]
    static let coordinator: [String] = ["", "", "", "", "", ""]
}
