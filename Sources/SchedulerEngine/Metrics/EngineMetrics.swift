import Telemetry

/// The metrics of the engine. Protocols/metrics.md has the same table.
enum EngineMetrics {
    // MARK: Work
    static let queueTasks = MetricFamily(.gauge, "suanpan_queue_tasks", help: "Tasks that wait, by why they do not start.")
    static let oldestWait = MetricFamily(
        .gauge, "suanpan_queue_oldest_wait_seconds", unit: .seconds, help: "Since when the oldest job with such a task waits.")
    static let tasks = MetricFamily(.gauge, "suanpan_tasks", help: "Tasks that have not ended; each that is not queued is a live attempt.")
    static let jobs = MetricFamily(.gauge, "suanpan_jobs", help: "Jobs that have not ended.")
    static let jobsSubmitted = MetricFamily(.counter, "suanpan_jobs_submitted", help: "Jobs accepted.")
    static let tasksSubmitted = MetricFamily(.counter, "suanpan_tasks_submitted", help: "Tasks of accepted jobs.")
    static let jobsFinished = MetricFamily(.counter, "suanpan_jobs_finished", help: "Jobs that ended.")
    static let attemptsPlaced = MetricFamily(
        .counter, "suanpan_attempts_placed", help: "Attempts given a place on a node, or one behind a running task.")
    static let attemptsStarted = MetricFamily(
        .counter, "suanpan_attempts_started", help: "Attempts told to run; shorter ones are told by their end alone.")
    static let attemptsEnded = MetricFamily(.counter, "suanpan_attempts_ended", help: "Attempts that ended.")
    static let placementWait = MetricFamily(
        .histogram, "suanpan_task_placement_wait_seconds", unit: .seconds,
        help: "From submission, or the begin time asked for, to the first place on a node.")
    static let startWait = MetricFamily(
        .histogram, "suanpan_task_start_wait_seconds", unit: .seconds,
        help: "From submission, or the begin time asked for, to the first instruction of the first attempt.")
    static let rejected = MetricFamily(.counter, "suanpan_commands_rejected", help: "Commands of clients refused for what they ask.")
    static let refused = MetricFamily(
        .counter, "suanpan_commands_refused", help: "Commands turned away undecided; their senders try again later.")

    // MARK: Capacity
    static let nodes = MetricFamily(.gauge, "suanpan_nodes", help: "Nodes by state.")
    static let cpu = MetricFamily(.gauge, "suanpan_cpu_cores", unit: .cores, help: "Cores that registered nodes offer.")
    static let cpuAllocated = MetricFamily(.gauge, "suanpan_cpu_allocated_cores", unit: .cores, help: "Cores granted to attempts.")
    static let memory = MetricFamily(.gauge, "suanpan_memory_bytes", unit: .bytes, help: "Memory that registered nodes offer.")
    static let memoryAllocated = MetricFamily(
        .gauge, "suanpan_memory_allocated_bytes", unit: .bytes, help: "Memory granted to attempts.")
    static let devices = MetricFamily(.gauge, "suanpan_devices", help: "Accelerators that registered nodes offer.")
    static let devicesAllocated = MetricFamily(
        .gauge, "suanpan_devices_allocated", help: "Accelerators granted to attempts, shares added up: 2.5 is two and a half.")

    // MARK: Each node
    static let nodeState = MetricFamily(.gauge, "suanpan_node_state", help: "Always 1; the label says how the node stands.")
    static let nodeLiveAttempts = MetricFamily(.gauge, "suanpan_node_live_attempts", help: "Attempts that hold resources of the node.")
    static let nodeCPU = MetricFamily(
        .gauge, "suanpan_node_cpu_used_cores", unit: .cores, help: "Cores busy on the node between its last two heartbeats, all processes.")
    static let nodeMemory = MetricFamily(
        .gauge, "suanpan_node_memory_used_bytes", unit: .bytes, help: "Memory of the node that is in use, by all processes.")
    static let nodeWorkFree = MetricFamily(
        .gauge, "suanpan_node_work_free_bytes", unit: .bytes, help: "Left on the disk of the node's work directory.")

    // MARK: The loop
    static let loopCPU = MetricFamily(
        .counter, "suanpan_loop_cpu_seconds", unit: .seconds, help: "CPU time of the thread that decides and appends.")
    static let loopBusy = MetricFamily(
        .counter, "suanpan_loop_busy_seconds", unit: .seconds,
        help: "Time that the deciding thread had work, the waits for the disk included.")
    static let loopStep = MetricFamily(
        .histogram, "suanpan_loop_step_seconds", unit: .seconds, help: "How long deciding one batch took.")
    static let loopBatch = MetricFamily(.histogram, "suanpan_loop_batch_events", help: "Events of one batch.")
    static let loopLag = MetricFamily(
        .histogram, "suanpan_loop_lag_seconds", unit: .seconds,
        help: "From the arrival of a command to its decision, of the one in each batch that waited longest.")
    static let loopInbox = MetricFamily(.gauge, "suanpan_loop_inbox_commands", help: "Commands that wait for a decision.")

    // MARK: Journal
    static let journalAppend = MetricFamily(
        .histogram, "suanpan_journal_append_seconds", unit: .seconds, help: "Making one batch durable, the sync of the disk included.")
    static let journalErrors = MetricFamily(
        .counter, "suanpan_journal_errors", help: "Appends that failed; of a full disk, one each second.")
    static let journalDiskFull = MetricFamily(
        .gauge, "suanpan_journal_disk_full", help: "1 while the disk is full and submissions are refused.")
    static let journalIndex = MetricFamily(.gauge, "suanpan_journal_last_index", help: "The last batch that is durable.")
    static let recovery = MetricFamily(
        .gauge, "suanpan_recovery_duration_seconds", unit: .seconds, help: "How long this start read snapshot and journal.")

    // MARK: Agents
    static let heartbeats = MetricFamily(.counter, "suanpan_heartbeats", help: "Heartbeats of current sessions.")
    static let leaseMargin = MetricFamily(
        .histogram, "suanpan_lease_margin_seconds", unit: .seconds,
        help: "What was left of a node's lease when its heartbeat arrived; shrinks before leases end.")
    static let leasesHeldBack = MetricFamily(
        .gauge, "suanpan_leases_held_back",
        help: "Nodes whose lease would have ended, had not many fallen silent at once; 0 while leases end as they should.")
    static let drops = MetricFamily(.counter, "suanpan_transport_drops", help: "What peers sent and was thrown away.")
    static let overflows = MetricFamily(
        .counter, "suanpan_transport_queue_overflows", help: "Nodes disconnected because they did not take their messages.")
}
