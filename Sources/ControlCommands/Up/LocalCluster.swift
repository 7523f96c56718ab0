// The shell around `UpMachine`: starts and signals daemons, waits, speaks.

import Glibc

/// What `up` is to run, and where.
struct LocalClusterSettings: Sendable {
    var dataDirectory: String
    var coordinatorProgram: String
    var agentProgram: String
    /// Options of the coordinator, passed on as they are.
    var http: String?
    var agentsEndpoint: String?
    var enrollEndpoint: String?
    var logEndpoint: String?
    var nodeName: String
    var cpus: String?
    var memory: String?
    var allowsRootJobs = false
    var simulatedNodes: UInt32 = 0
    var profile: String?

    var clientFile: String { dataDirectory + "/client.yaml" }
    private var tokenFile: String { dataDirectory + "/join-token" }

    func logFile(of role: DaemonRole) -> String { "\(dataDirectory)/log/\(role.rawValue).log" }

    func launch(_ role: DaemonRole) -> ChildProcess.Launch {
        let pipes = ["--ready-fd", "\(ChildProcess.readyDescriptor)", "--parent-fd", "\(ChildProcess.parentDescriptor)"]
        var arguments: [String]
        switch role {
        case .coordinator:
            arguments = ["--data-dir", dataDirectory]
            let options = [
                ("--http", http), ("--agents-endpoint", agentsEndpoint), ("--enroll-endpoint", enrollEndpoint),
                ("--log-endpoint", logEndpoint),
            ]
            for case (let option, let value?) in options { arguments += [option, value] }
            arguments += ["--bootstrap-token-file", tokenFile]
        case .agent:
            arguments = ["--data-dir", dataDirectory + "/agent", "--token-file", tokenFile, "--name", nodeName, "--launcher", "own"]
            if allowsRootJobs { arguments.append("--allow-root-jobs") }
            if let cpus { arguments += ["--cpus", cpus] }
            if let memory { arguments += ["--memory", memory] }
        case .simulated:
            arguments = ["--data-dir", dataDirectory + "/simulated", "--token-file", tokenFile, "--simulate", "\(simulatedNodes)"]
            if let profile { arguments += ["--profile", profile] }
        }
        let program = role == .coordinator ? coordinatorProgram : agentProgram
        return ChildProcess.Launch(program: program, arguments: arguments + pipes, logFile: logFile(of: role))
    }
}

struct LocalCluster {
    private enum Event: Sendable {
        case machine(UpMachine.Event)
        /// Still starting after a while.
        case slow
    }

    static let slowStart = Duration.seconds(10)
    static let stopTimeMax = Duration.seconds(15)
    static let logLinesShown = 15

    private let console: Console
    private var settings: LocalClusterSettings
    private var machine: UpMachine
    private var children: [DaemonRole: ChildProcess] = [:]
    private var isAnnounced = false
    private let began = ContinuousClock.now

    init(settings: LocalClusterSettings, console: Console) {
        self.settings = settings
        self.console = console
        machine = UpMachine(hasSimulatedNodes: settings.simulatedNodes > 0)
    }

    /// Runs until the daemons have ended; the result is the exit code.
    static func run(_ settings: LocalClusterSettings, signals: AsyncStream<Int32>, console: Console) async throws(CommandFailure) -> Int32 {
        for directory in [settings.dataDirectory, settings.dataDirectory + "/log"] { try makeDirectory(directory) }
        return await withTaskGroup(of: Void.self) { group in
            let (events, continuation) = AsyncStream.makeStream(of: Event.self)
            group.addTask {
                for await signal in signals { continuation.yield(.machine(signal == SIGINT ? .interrupt : .terminate)) }
            }
            group.addTask {
                guard (try? await Task.sleep(for: slowStart)) != nil else { return }
                continuation.yield(.slow)
            }
            defer { group.cancelAll() }
            var cluster = LocalCluster(settings: settings, console: console)
            continuation.yield(.machine(.start))
            for await event in events {
                if let code = await cluster.handle(event, continuation, &group) { return code }
            }
            return ExitStatus.failed.rawValue
        }
    }

    private mutating func handle(
        _ event: Event, _ events: AsyncStream<Event>.Continuation, _ group: inout TaskGroup<Void>
    ) async -> Int32? {
        guard case .machine(let event) = event else {
            if !isAnnounced { console.note("Still starting; \(settings.logFile(of: .coordinator)) says more.") }
            return nil
        }
        for action in machine.handle(event, at: ContinuousClock.now - began) {
            switch action {
            case .launch(let role): launch(role, events)
            case .restart(let role, let delay): after(delay, .restartDue(role), events, &group)
            case .announce: await announce()
            case .say(let text): console.note(text)
            case .showLog(let role): showLog(of: role)
            case .stopJobs: stopJobs(events, &group)
            case .signal(let role, let signal): send(signal, to: role)
            case .watchStop: after(Self.stopTimeMax, .stopOverdue, events, &group)
            case .finish(let code): return code
            }
        }
        return nil
    }

    // MARK: - Daemons

    private mutating func launch(_ role: DaemonRole, _ events: AsyncStream<Event>.Continuation) {
        do throws(CommandFailure) {
            let child = try ChildProcess(settings.launch(role))
            children[role] = child
            child.watch(
                ready: { line in
                    guard let line, line == "ready" || line.hasPrefix("ready ") else { return }
                    events.yield(.machine(.ready(role)))
                },
                ended: { events.yield(.machine(.ended(role, code: $0))) })
        } catch {
            console.report(error)
            events.yield(.machine(.ended(role, code: 127)))
        }
    }

    private func send(_ signal: UpMachine.Signal, to role: DaemonRole) {
        let number =
            switch signal {
            case .terminate: SIGTERM
            case .interrupt: SIGINT
            case .kill: SIGKILL
            }
        if signal == .kill { console.note("The \(role.title) does not end; killing it.") }
        children[role]?.signal(number)
    }

    private func after(
        _ delay: Duration, _ event: UpMachine.Event, _ events: AsyncStream<Event>.Continuation, _ group: inout TaskGroup<Void>
    ) {
        group.addTask {
            guard (try? await Task.sleep(for: delay)) != nil else { return }
            events.yield(.machine(event))
        }
    }

    private func stopJobs(_ events: AsyncStream<Event>.Continuation, _ group: inout TaskGroup<Void>) {
        let (file, console) = (settings.clientFile, console)
        group.addTask {
            var left = 0
            do throws(CommandFailure) {
                let client = CoordinatorClient(configuration: try ClientConfiguration.read(file: file))
                left = await JobShutdown(client: client, say: { console.note($0) }).run()
            } catch { console.report(error) }
            events.yield(.machine(.jobsStopped(left: left)))
        }
    }

    // MARK: - Words

    private mutating func announce() async {
        isAnnounced = true
        do throws(CommandFailure) {
            let configuration = try ClientConfiguration.read(file: settings.clientFile)
            // With port 0, a restarted coordinator must come back where clients know it.
            if let http = settings.http, http.hasSuffix(":0"), let colon = configuration.url.lastIndex(of: ":") {
                settings.http = String(http.dropLast(2)) + String(configuration.url[colon...])
            }
            let nodes = try await CoordinatorClient(configuration: configuration).list("/v1/nodes", limit: nil)
            console.write(
                Banner.text(
                    url: configuration.url, dataDirectory: settings.dataDirectory,
                    isDefaultDirectory: settings.dataDirectory
                        == DataDirectory.resolve(option: nil, environment: ProcessEnvironment.current()),
                    nodes: nodes["items"]?.items ?? []))
        } catch { console.report(error) }
    }

    private func showLog(of role: DaemonRole) {
        let file = settings.logFile(of: role)
        let lines = LogTail.lines(of: file, from: children[role]?.logOffset ?? 0, count: Self.logLinesShown)
        for line in lines { console.note("  \(line)") }
        console.note("  (\(file))")
    }

    private static func makeDirectory(_ path: String) throws(CommandFailure) {
        var partial = ""
        for component in path.split(separator: "/") {
            partial += (partial.isEmpty && !path.hasPrefix("/") ? "" : "/") + component
            guard mkdir(partial, 0o700) != 0, errno != EEXIST else { continue }
            let problem = errno
            var status = stat()
            if stat(partial, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { continue }
            throw CommandFailure(.failed, "\(partial): \(SystemError.text(problem))", remedy: "choose another directory with --data-dir")
        }
        var status = stat()
        let isDirectory = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        guard isDirectory, access(path, R_OK | W_OK | X_OK) == 0 else {
            let problem = isDirectory ? errno : ENOTDIR
            throw CommandFailure(.failed, "\(path): \(SystemError.text(problem))", remedy: "choose another directory with --data-dir")
        }
    }
}
