internal import ClusterModel
internal import FoundationEssentials

extension WireStartBatch {
    init(_ batch: StartBatch) throws(WireError) {
        self.init()
        job = batch.job.value
        template = WireTaskTemplate(batch.template)
        worldSize = batch.template.worldSize
        hasCheckpoints_p = batch.template.hasCheckpoints
        var lists = NodeLists()
        var orders: [WireStartOrder] = []
        orders.reserveCapacity(batch.starts.count)
        for start in batch.starts {
            guard start.attempt.task.job == batch.job else { throw .outOfRange("starts.attempt") }
            orders.append(WireStartOrder(start, lists: &lists))
        }
        starts = orders
        nodeLists = lists.wire
    }

    func checked() throws(WireError) -> StartBatch {
        guard hasTemplate else { throw .missing("template") }
        guard job > 0 else { throw .outOfRange("job") }
        try WireProtocol.checked(count: starts.count, max: WireLimits.startsMax, "starts")
        try WireProtocol.checked(count: nodeLists.count, max: WireLimits.startsMax, "node_lists")
        let lists = try nodeLists.mapped { (list) throws(WireError) in
            try WireProtocol.checked(count: list.names.count, max: WireLimits.gangNodesMax, "node_lists.names")
            return try list.names.mapped { (name) throws(WireError) in
                try WireProtocol.checked(name, max: WireLimits.nameBytesMax, "node_lists.names")
            }
        }
        return StartBatch(
            job: JobID(job), template: try template.checked(worldSize: worldSize, hasCheckpoints: hasCheckpoints_p),
            starts: try starts.mapped { (start) throws(WireError) in try start.checked(job: job, lists: lists) })
    }
}

/// The node lists of a batch, each once. Ranks of one gang come one after the other, so the last list is the one to ask.
struct NodeLists {
    private var lists: [[String]] = []

    mutating func position(of names: [String]) -> UInt32 {
        if lists.last != names { lists.append(names) }
        return UInt32(lists.count - 1)
    }

    var wire: [WireNodeNames] {
        lists.map { names in
            var list = WireNodeNames()
            list.names = names
            return list
        }
    }
}

extension WireStartOrder {
    init(_ start: StartOrder, lists: inout NodeLists) {
        self.init()
        index = start.attempt.task.index
        number = start.attempt.number
        fence = start.fence.value
        if start.isSuccessor { slot = start.slot.value }
        cpuMilli = UInt64(amount: start.allocation.cpuMilli)
        memoryBytes = UInt64(amount: start.allocation.memoryBytes)
        devices = start.allocation.devices.map { grant in
            var wire = WireDeviceGrant()
            wire.index = grant.index
            wire.shareMilli = UInt32(clamping: grant.shareMilli)
            wire.memoryBytes = UInt64(amount: grant.memoryBytes)
            if let partition = grant.partition {
                wire.template = partition.template
                wire.slots = partition.slots
            }
            return wire
        }
        processors = start.allocation.processors
        if let node = start.allocation.numaNode { numaNode = node }
        restartReason = WireReason(rawValue: Int(start.restartReason.rawValue)) ?? .none
        pass = Data(start.pass)
        if let place = start.gang { gang = WireGangPlace(place, list: lists.position(of: place.nodeNames)) }
    }

    func checked(job: UInt64, lists: [[String]]) throws(WireError) -> StartOrder {
        try WireProtocol.checked(count: devices.count, max: WireLimits.devicesMax, "devices")
        try WireProtocol.checked(count: processors.count, max: WireLimits.processorsMax, "processors")
        guard processors.last ?? 0 <= ProcessorBits.indexMax, zip(processors, processors.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw .outOfRange("processors")
        }
        let allocation = Allocation(
            cpuMilli: try WireProtocol.checked(cpuMilli, "cpu_milli"),
            memoryBytes: try WireProtocol.checked(memoryBytes, "memory_bytes"),
            devices: try devices.mapped { (grant) throws(WireError) in
                DeviceGrant(
                    index: grant.index, shareMilli: Int64(try WireProtocol.checked(grant.shareMilli, max: 1000, "share_milli")),
                    memoryBytes: try WireProtocol.checked(grant.memoryBytes, "devices.memory_bytes"),
                    partition: grant.template.isEmpty
                        ? nil
                        : DeviceGrant.Partition(
                            template: try WireProtocol.checked(grant.template, max: WireLimits.nameBytesMax, "devices.template"),
                            slots: grant.slots))
            }, processors: processors, numaNode: hasNumaNode ? numaNode : nil)
        return StartOrder(
            attempt: try attempt(job: job, index: index, number: number), fence: Fence(fence),
            slot: slot == 0 ? nil : Fence(slot), allocation: allocation,
            restartReason: try WireProtocol.checked(restartReason.rawValue, "restart_reason"),
            gang: hasGang ? try gang.checked(lists: lists) : nil,
            pass: try WireProtocol.checked(pass, max: WireLimits.passBytesMax, "pass"))
    }
}

extension WireGangPlace {
    init(_ place: GangPlace, list: UInt32) {
        self.init()
        rank = place.rank
        localRank = place.localRank
        localWorldSize = place.localWorldSize
        nodeRank = place.nodeRank
        masterAddress = place.masterAddress
        masterPort = place.masterPort
        nodeList = list
    }

    func checked(lists: [[String]]) throws(WireError) -> GangPlace {
        guard Int(nodeList) < lists.count else { throw .outOfRange("node_list") }
        return GangPlace(
            rank: rank, localRank: localRank, localWorldSize: localWorldSize, nodeRank: nodeRank,
            masterAddress: try WireProtocol.checked(masterAddress, max: WireLimits.nameBytesMax, "master_address"),
            masterPort: try WireProtocol.checked(masterPort, max: WireLimits.portMax, "master_port"),
            nodeNames: lists[Int(nodeList)])
    }
}

extension WireTaskTemplate {
    init(_ template: TaskTemplate) {
        self.init()
        jobName = template.jobName
        tenant = template.tenant
        project = template.project
        queue = template.queue
        groupName = template.groupName
        command = template.command
        environment = template.environment.map(WireVariable.init)
        workDirectory = template.workDirectory
        checkpointPath = template.checkpointPath
        deviceKind = WireDeviceKind(template.deviceKind)
        if let limit = template.timeLimit { timeLimit = UInt64(limit) }
        grace = UInt64(template.grace)
        onNodeLost = WireNodeLossPolicy(rawValue: Int(template.onNodeLost.rawValue)) ?? .unspecified
        if let user = template.account {
            account.userID = user.userID
            account.groupID = user.groupID
        }
        labels = template.labels.map(WireLabel.init)
        if template.isArray { arrayFirst = template.arrayFirst }
        inputs = template.inputs.map(WireInput.init)
        outputs = template.outputs.map { output in
            var wire = WireOutput()
            wire.path = output.path
            wire.destination = output.destination
            return wire
        }
        secretFiles = template.secretFiles.map(WireVariable.init)
        traceParent = template.traceParent
    }

    func checked(worldSize: UInt32, hasCheckpoints: Bool) throws(WireError) -> TaskTemplate {
        try WireProtocol.checked(count: command.count, max: WireLimits.argumentsMax, "command")
        try WireProtocol.checked(count: labels.count, max: WireLimits.labelsMax, "labels")
        try WireProtocol.checked(count: environment.count, max: WireLimits.variablesMax, "environment")
        try WireProtocol.checked(count: secretFiles.count, max: WireLimits.variablesMax, "secret_files")
        try WireProtocol.checked(count: inputs.count, max: WireLimits.filePlacesMax, "inputs")
        try WireProtocol.checked(count: outputs.count, max: WireLimits.filePlacesMax, "outputs")
        return TaskTemplate(
            jobName: try WireProtocol.checked(jobName, max: WireLimits.nameBytesMax, "job_name"),
            tenant: try WireProtocol.checked(tenant, max: WireLimits.nameBytesMax, "tenant"),
            project: try WireProtocol.checked(project, max: WireLimits.nameBytesMax, "project"),
            queue: try WireProtocol.checked(queue, max: WireLimits.nameBytesMax, "queue"),
            groupName: try WireProtocol.checked(groupName, max: WireLimits.nameBytesMax, "group_name"),
            command: try command.mapped { (argument) throws(WireError) in
                try WireProtocol.checked(argument, max: WireLimits.frameBytesMax, "command")
            },
            environment: try environment.mapped { (variable) throws(WireError) in try variable.checked("environment.name") },
            workDirectory: try WireProtocol.checked(workDirectory, max: WireLimits.pathBytesMax, "work_directory"),
            checkpointPath: try WireProtocol.checked(checkpointPath, max: WireLimits.pathBytesMax, "checkpoint_path"),
            deviceKind: deviceKind == .unspecified ? nil : try WireProtocol.checked(deviceKind.rawValue, "device_kind"),
            timeLimit: hasTimeLimit ? try WireProtocol.checked(timeLimit, "time_limit") : nil,
            grace: try WireProtocol.checked(grace, "grace"),
            onNodeLost: try WireProtocol.checked(onNodeLost.rawValue, "on_node_lost"),
            account: hasAccount ? UserAccount(userID: account.userID, groupID: account.groupID) : nil,
            worldSize: worldSize, labels: try labels.mapped { (label) throws(WireError) in try label.checked() }, arrayFirst: arrayFirst,
            isArray: hasArrayFirst, inputs: try inputs.mapped { (input) throws(WireError) in try input.checked() },
            outputs: try outputs.mapped { (output) throws(WireError) in
                JobOutput(
                    path: try WireProtocol.checked(path: output.path, "outputs.path"),
                    destination: ObjectAddress(output.destination) != nil
                        ? output.destination : try WireProtocol.checked(path: output.destination, "outputs.destination"))
            },
            secretFiles: try secretFiles.mapped { (file) throws(WireError) in
                let checked = try file.checked("secret_files.name")
                guard ObjectName.isValid(checked.name) else { throw .outOfRange("secret_files.name") }
                return checked
            }, traceParent: try WireProtocol.checked(traceParent, max: WireLimits.textBytesMax, "trace_parent"),
            hasCheckpoints: hasCheckpoints)
    }
}

extension WireVariable {
    init(_ variable: SealedVariable) {
        self.init()
        name = variable.name
        value = Data(variable.sealedValue)
    }

    func checked(_ field: StaticString) throws(WireError) -> SealedVariable {
        SealedVariable(name: try WireProtocol.checked(name, max: WireLimits.textBytesMax, field), sealedValue: [UInt8](value))
    }
}

extension WireInput {
    init(_ input: JobInput) {
        self.init()
        path = input.path
        switch input.source {
        case .tree(let tree): digest = Data(tree.bytes)
        case .dataset(_, _, let tree):
            digest = Data(tree.bytes)
            isShared = true
        case .url(let text, let content):
            url = text
            if let content { digest = Data(content.bytes) }
        }
    }

    /// A data set arrives without its name, which an agent has no use for.
    func checked() throws(WireError) -> JobInput {
        let content = ContentDigest(bytes: [UInt8](digest))
        guard content != nil || digest.isEmpty else { throw .outOfRange("inputs.digest") }
        let place = try WireProtocol.checked(path: path, "inputs.path")
        guard url.isEmpty else {
            return JobInput(source: .url(try WireProtocol.checked(url, max: WireLimits.pathBytesMax, "inputs.url"), content), path: place)
        }
        guard let content else { throw .missing("inputs.digest") }
        return JobInput(source: isShared ? .dataset(name: "", version: "", tree: content) : .tree(content), path: place)
    }
}
