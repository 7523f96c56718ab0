/// The version of the whole project.
public enum Release {
    public static let version = "0.1.0"
}
