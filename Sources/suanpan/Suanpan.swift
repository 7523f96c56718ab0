import ControlCommands

@main
enum Program {
    static func main() async { await CommandLineEntry.main() }
}
