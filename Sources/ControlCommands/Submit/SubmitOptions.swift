import ArgumentParser

/// What a job may ask for on the command line; the job file can say all of it, and options stand above the file.
struct SubmitOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("Job file, YAML or JSON; - reads it from standard input.", valueName: "file"))
    var file: String?

    @Option(help: "Name of the job. Default: the command's name.")
    var name: String?

    @Option(help: "training, inference, batch or notebook.")
    var kind: String?

    @Option(help: "Tenant that the job belongs to.")
    var tenant: String?

    @Option(help: "Project, or TENANT/PROJECT.")
    var project: String?

    @Option(help: "Queue.")
    var queue: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("-1000 … 1000; higher goes first.", valueName: "n"))
    var priority: Int32?

    @Option(parsing: .unconditional, help: ArgumentHelp("Cores of each task, such as 2 or 500m. Default: 1.", valueName: "n"))
    var cpus: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Memory of each task, such as 4GiB. Default: 1GiB.", valueName: "size"))
    var memory: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("GPUs of each task.", valueName: "n"))
    var gpus: UInt32?

    @Option(parsing: .unconditional, help: ArgumentHelp("NPUs of each task.", valueName: "n"))
    var npus: UInt32?

    @Option(parsing: .unconditional, help: ArgumentHelp("Memory needed of each GPU, such as 7000MiB.", valueName: "size"))
    var gpuMemory: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Share of each GPU, such as 250m. Default: a whole one.", valueName: "share"))
    var gpuShare: String?

    @Option(help: ArgumentHelp("Models that will do, such as '*A100*|*H100*'.", valueName: "pattern"))
    var gpuModel: String?

    @Option(help: ArgumentHelp("Partition of each GPU by the name of its model's template, such as 1g.10gb.", valueName: "template"))
    var gpuTemplate: String?

    @Option(help: ArgumentHelp("Partition of each NPU by the name of its model's template, such as vir05_1c_8g.", valueName: "template"))
    var npuTemplate: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("So much strength on whatever devices have it: TFLOPS of dense FP16.", valueName: "n"))
    var computeUnits: String?

    @Flag(help: "Have the cores for itself.")
    var wholeCores = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "How near devices and tasks are to be: none, prefer or require for a level; may be repeated.",
            discussion: "Levels: link, pcie, numa for the devices of a task; node, rack, block, center for the tasks of a gang.",
            valueName: "level=wish"))
    var topology: [String] = []

    @Flag(help: "Put the tasks of a gang, or of an array, on as many nodes as there are.")
    var spread = false

    @Flag(help: "Put the tasks of a gang on as few nodes as will do: the default.")
    var pack = false

    @Option(parsing: .singleValue, help: ArgumentHelp("Run only in this center; may be repeated.", valueName: "center"))
    var center: [String] = []

    @Option(help: ArgumentHelp("Run only on nodes of this pool.", valueName: "pool"))
    var pool: String?

    @Flag(help: "Run only where nodes reach the internet.")
    var needsInternet = false

    @Option(parsing: .unconditional, help: ArgumentHelp("Tasks that start together or not at all. Default: 1.", valueName: "n"))
    var tasks: UInt32?

    @Option(help: ArgumentHelp("One gang for each index: FIRST-LAST, %LIMIT for how many at once.", valueName: "range"))
    var array: String?

    @Option(parsing: .singleValue, help: ArgumentHelp("Start after this job has succeeded; may be repeated.", valueName: "job"))
    var after: [String] = []

    @Option(parsing: .singleValue, help: ArgumentHelp("The same as --after.", valueName: "job"))
    var afterOk: [String] = []

    @Option(parsing: .singleValue, help: ArgumentHelp("Start after this job has ended, however.", valueName: "job"))
    var afterAny: [String] = []

    @Option(parsing: .singleValue, help: ArgumentHelp("Start after this job has failed or was cancelled.", valueName: "job"))
    var afterFail: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Not before: RFC 3339, YYYY-MM-DDTHH:MM or HH:MM local time, or +2h.", valueName: "time"))
    var begin: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Stop the job after this long, such as 2h. Default: no limit.", valueName: "span"))
    var timeLimit: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "It will run about this long, such as 40m. It is not stopped then, but started sooner where there is a gap for it.",
            valueName: "span"))
    var estimate: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Stop it, or never start it, after this: a time as for --begin.", valueName: "time"))
    var deadline: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Give it up if nothing of it has started after this long, such as 1d.", valueName: "span"))
    var maxPending: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Come again so long after each run was due, such as 1h; the first is due at once, or at --begin.", valueName: "span"))
    var every: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Come again by the calendar, as in crontab(5): '30 3 * * 1-5', or @daily.",
            discussion: "By this machine's clock as far as it is ahead of UTC now, or by --cron-offset; daylight saving is not followed.",
            valueName: "fields"))
    var cron: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("How far the clock of --cron is ahead of UTC, such as +08:00.", valueName: "offset"))
    var cronOffset: String?

    @Flag(help: "A run may begin while the one before it goes on. Without it, it waits for that one.")
    var overlap = false

    @Option(parsing: .unconditional, help: ArgumentHelp("No run is due after this: a time as for --begin.", valueName: "time"))
    var until: String?

    @Flag(help: "Start nothing of it before `suanpan release`.")
    var hold = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "About how often it writes a checkpoint, such as 30m: of jobs that are to give way, those that lose least are taken.",
            valueName: "span"))
    var checkpointInterval: String?

    @Option(
        help: ArgumentHelp(
            "Sent when it has to give way, so that it writes a checkpoint: SIGUSR1, say. SIGTERM follows when it has, or near the end of its grace.",
            valueName: "signal"))
    var checkpointSignal: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Time from the stop signal to the kill, such as 30s.", valueName: "span"))
    var grace: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Try a failed task again this often.", valueName: "n"))
    var retries: UInt32?

    @Flag(help: "Let more urgent jobs displace this one.")
    var preemptible = false

    @Option(parsing: .singleValue, help: ArgumentHelp("Environment variable; may be repeated.", valueName: "k=v"))
    var env: [String] = []

    @Option(help: ArgumentHelp("Work directory on the node. Default: a fresh one for each job.", valueName: "dir"))
    var workdir: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Put this into the work directory of each task; may be repeated.",
            discussion: "SRC is a path here, dataset:NAME@VERSION, or an http://, https:// or s3:// address; DST is a place there, "
                + ". for its top. What .suanpanignore names stays behind.", valueName: "src:dst"))
    var input: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Keep this of each task's work directory with the job, for suanpan cp; may be repeated.",
            discussion: "DST is its place among the job's files, or s3://BUCKET/PATH.", valueName: "src[:dst]"))
    var output: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Give the job a secret, as a file in SUANPAN_SECRETS_DIR or in a variable; may be repeated.", valueName: "name[:variable]"))
    var secret: [String] = []

    @Option(help: ArgumentHelp("Directory in which the job keeps its checkpoints.", valueName: "dir"))
    var checkpoint: String?

    @Option(parsing: .singleValue, help: ArgumentHelp("LABEL, LABEL=VALUE, LABEL!=VALUE or node=NAME; may be repeated.", valueName: "expr"))
    var constraint: [String] = []

    @Option(parsing: .singleValue, help: ArgumentHelp("Label of the job; may be repeated.", valueName: "k=v"))
    var label: [String] = []

    @Option(help: "When a node falls silent: wait, replace or fail. Default: wait.")
    var onNodeLost: String?

    @Option(help: ArgumentHelp("Submitting twice under one key makes one job. Default: a random key.", valueName: "key"))
    var idempotencyKey: String?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("Command and arguments, after --.", valueName: "cmd"))
    var command: [String] = []
}
