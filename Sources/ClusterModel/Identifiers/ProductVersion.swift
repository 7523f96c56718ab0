/// The version of the whole project.
enum Version {
    static let text = "0.1.0"
}
