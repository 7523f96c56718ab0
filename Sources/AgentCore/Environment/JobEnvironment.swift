// The environment of a job's process: the names are part of the interface.

import ClusterModel

enum JobEnvironment {
    /// Variables that vendors' runtimes read, by kind; each is set to the granted devices, and to nothing where none is
    /// granted, so that a job without a device sees none.
    private static let deviceVariables: [(kind: DeviceKind, names: [String])] = [
        (.gpu, ["CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"]),
        (.npu, ["ASCEND_RT_VISIBLE_DEVICES", "MLU_VISIBLE_DEVICES"]),
    ]

    /// What the stand-in of a simulated node reads; harmless elsewhere.
    private static let simulationVariables = [("sim.seconds", "SUANPAN_SIM_SECONDS"), ("sim.exit", "SUANPAN_SIM_EXIT")]

    /// `NAME=value` entries. What the user set comes first; what the platform grants has the last word.
    static func entries(
        _ order: StartOrder, _ template: TaskTemplate, job: JobID, configuration: AgentConfiguration, workDirectory: String
    ) -> [String] {
        var values: [(String, String)] = [("PATH", configuration.path), ("HOME", workDirectory), ("LANG", "C.UTF-8")]
        for variable in template.environment { values.append((variable.name, String(decoding: variable.sealedValue, as: UTF8.self))) }
        values += identity(order, template, job: job, configuration: configuration)
        values += grants(order, template, configuration: configuration, workDirectory: workDirectory)
        if let gang = order.gang { values += place(gang, template) }
        // Names of the platform's own differ from each other; only the user's may be among them.
        if !template.environment.isEmpty { values = deduplicated(values) }
        return values.map { "\($0.0)=\($0.1)" }
    }

    private static func identity(
        _ order: StartOrder, _ template: TaskTemplate, job: JobID, configuration: AgentConfiguration
    ) -> [(String, String)] {
        let index = order.attempt.task.index
        let ordinal = index / max(template.worldSize, 1)
        let rank = index % max(template.worldSize, 1)
        var values: [(String, String)] = [
            ("SUANPAN_JOB_ID", "\(job)"), ("SUANPAN_JOB_NAME", template.jobName), ("SUANPAN_TASK_ID", "\(order.attempt.task)"),
            ("SUANPAN_ATTEMPT", "\(order.attempt.number)"), ("SUANPAN_TENANT", template.tenant), ("SUANPAN_PROJECT", template.project),
            ("SUANPAN_QUEUE", template.queue), ("SUANPAN_NODE", configuration.inventory.name), ("SUANPAN_GROUP", template.groupName),
            ("SUANPAN_RANK", "\(rank)"), ("SUANPAN_WORLD_SIZE", "\(template.worldSize)"),
            ("SUANPAN_RESTART_REASON", order.restartReason.name),
        ]
        for (label, variable) in simulationVariables {
            if let value = template.labels.first(where: { $0.name == label })?.text { values.append((variable, value)) }
        }
        if template.isArray { values.append(("SUANPAN_ARRAY_INDEX", "\(template.arrayFirst + ordinal)")) }
        return values
    }

    private static func grants(
        _ order: StartOrder, _ template: TaskTemplate, configuration: AgentConfiguration, workDirectory: String
    ) -> [(String, String)] {
        let allocation = order.allocation
        let uuids = allocation.devices.map { grant in
            Int(grant.index) < configuration.inventory.devices.count ? configuration.inventory.devices[Int(grant.index)].uuid : ""
        }
        let threads = max(1, allocation.cpuMilli / 1000)
        var values: [(String, String)] = [
            ("SUANPAN_CPUS", decimal(milli: allocation.cpuMilli)), ("SUANPAN_MEMORY_BYTES", "\(allocation.memoryBytes)"),
            ("SUANPAN_DEVICES", uuids.joined(separator: ",")),
            ("SUANPAN_COMPUTE_UNITS", computeUnits(of: allocation.devices, configuration.inventory).map(decimal) ?? ""),
            ("OMP_NUM_THREADS", "\(threads)"), ("SUANPAN_TMPDIR", workDirectory),
        ]
        for (kind, names) in deviceVariables {
            // A vendor counts its own devices of a node from zero; nodes of mixed kinds list each kind by itself.
            let own = configuration.inventory.devices.filter { $0.kind == kind }
            let granted = allocation.devices.compactMap { grant in own.firstIndex { $0.index == grant.index }.map { "\($0)" } }
            for name in names { values.append((name, granted.joined(separator: ","))) }
        }
        if let limit = template.timeLimit { values.append(("SUANPAN_TIME_LIMIT_SECONDS", "\(limit.wholeSeconds)")) }
        if !template.checkpointPath.isEmpty {
            // Later attempts look there too, so an attempt's own directory is not the place.
            let base = template.isStaged ? configuration.jobDirectory(order.attempt.task.job) : workDirectory
            let path = template.checkpointPath.hasPrefix("/") ? template.checkpointPath : "\(base)/\(template.checkpointPath)"
            values.append(("SUANPAN_CHECKPOINT_DIR", path))
        }
        if template.hasCheckpoints, !configuration.mailRoot.isEmpty {
            values.append(("SUANPAN_NOTICE_FILE", configuration.noticeFile(of: order.attempt)))
            values.append(("SUANPAN_CHECKPOINT_FILE", configuration.checkpointFile(of: order.attempt)))
        }
        if !template.secretFiles.isEmpty { values.append(("SUANPAN_SECRETS_DIR", configuration.secretsDirectory(of: order.attempt))) }
        if !template.traceParent.isEmpty { values.append(("TRACEPARENT", template.traceParent)) }
        return values
    }

    /// Milli-CU of all of them together; nil where one has no confirmed strength.
    private static func computeUnits(of grants: [DeviceGrant], _ inventory: NodeInventory) -> Int64? {
        var sum: Int64 = 0
        for grant in grants {
            guard Int(grant.index) < inventory.devices.count,
                let whole = DeviceModelTable.nominal.pricedComputeUnitsMilli(of: inventory.devices[Int(grant.index)])
            else { return nil }
            sum += ComputeUnits.sliceMilli(ofDevice: whole, shareMilli: min(max(grant.shareMilli, 0), 1000))
        }
        return sum
    }

    /// What torchrun and its like read; `PET_*` are torchrun's own options by environment.
    private static func place(_ gang: GangPlace, _ template: TaskTemplate) -> [(String, String)] {
        [
            ("MASTER_ADDR", gang.masterAddress), ("MASTER_PORT", "\(gang.masterPort)"), ("WORLD_SIZE", "\(template.worldSize)"),
            ("RANK", "\(gang.rank)"), ("LOCAL_RANK", "\(gang.localRank)"), ("LOCAL_WORLD_SIZE", "\(gang.localWorldSize)"),
            ("NODE_RANK", "\(gang.nodeRank)"), ("SUANPAN_NODELIST", gang.nodeNames.joined(separator: ",")),
            ("PET_MASTER_ADDR", gang.masterAddress), ("PET_MASTER_PORT", "\(gang.masterPort)"),
            ("PET_NNODES", "\(gang.nodeNames.count)"), ("PET_NODE_RANK", "\(gang.nodeRank)"),
            ("PET_NPROC_PER_NODE", "\(gang.localWorldSize)"),
        ]
    }

    /// The last setting of a name wins, at the place of the first.
    private static func deduplicated(_ values: [(String, String)]) -> [(String, String)] {
        var result: [(String, String)] = []
        var positions: [String: Int] = [:]
        for (name, value) in values {
            if let position = positions[name] {
                result[position].1 = value
            } else {
                positions[name] = result.count
                result.append((name, value))
            }
        }
        return result
    }

    private static func decimal(milli: Int64) -> String {
        guard milli % 1000 != 0 else { return "\(milli / 1000)" }
        var fraction = String(1000 + milli % 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(milli / 1000).\(fraction)"
    }
}
