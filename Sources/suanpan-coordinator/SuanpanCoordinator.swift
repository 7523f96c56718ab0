import ArgumentParser
import CoordinatorComposition

@main
enum SuanpanCoordinator {
    static func main() async { await CoordinatorCommand.main() }
}
