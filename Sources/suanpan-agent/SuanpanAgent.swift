import AgentComposition
import ArgumentParser

@main
enum SuanpanAgent {
    static func main() async { await AgentCommand.main() }
}
