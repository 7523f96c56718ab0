import ClusterModel
import ClusterPorts
import SchedulingCore

extension NodeView {
    /// Which jobs run here is for administrators; others see how many, for some are of other tenants. Of a pool that they may not use they do
    /// not hear.
    func write(to writer: inout JSONWriter, for call: Call) {
        let showingAttempts = call.principal.role == .admin
        let showingPool = showingAttempts || call.controlPlane.isOpen(pool: membership.pool, to: call.principal.tenant)
        writer.member("id", id.description)
        writer.member("name", name)
        writer.member("state", state.rawValue)
        writer.member("condition", condition.name)
        if let drain { writer.member("drain") { drain.write(to: &$0) } } else { writer.null("drain") }
        writer.member("center", membership.center?.id)
        writer.member("pool", membership.pool.isEmpty || !showingPool ? nil : membership.pool)
        writer.member("simulated", inventory?.isSimulated)
        writer.member("address", inventory?.address)
        writer.member("cpuMilli", inventory?.cpuMilli)
        writer.member("cpuMilliAllocated", cpuMilliAllocated)
        writer.member("memoryBytes", inventory?.memoryBytes)
        writer.member("memoryBytesAllocated", memoryBytesAllocated)
        writer.member("deviceCount", devices.count)
        writer.member("deviceShareMilliAllocated", devices.reduce(0) { $0 + $1.shareMilliAllocated })
        writer.member("cpuMilliUsed", load?.cpuMilliUsed)
        writer.member("memoryBytesUsed", load?.memoryBytesUsed)
        writer.member("workBytesFree", load?.workBytesFree)
        if let topology = inventory?.topology { writer.member("topology") { topology.write(to: &$0) } } else { writer.null("topology") }
        let labels = (inventory?.labels ?? []).filter { showingPool || $0.name != NodeMembership.poolLabel }
        writer.member("labels", map: labels.map { ($0.name, $0.text) })
        let taints = inventory?.taints ?? membership.taints
        writer.member("taints", strings: showingPool ? taints : taints.filter { !NodeMembership.isTaintOfPool($0) })
        writer.member("liveAttemptCount", liveAttempts.count)
        if showingAttempts { writer.member("liveAttempts", strings: liveAttempts.map(\.description)) }
        writer.member("dirtyAttemptCount", dirtyAttempts.count)
        if showingAttempts { writer.member("dirtyAttempts", strings: dirtyAttempts.map(\.description)) }
        writer.member("enrolledAt", enrolledAt)
        writer.member("registeredAt", registeredAt)
    }
}

extension NodeView.Drain {
    func write(to writer: inout JSONWriter) {
        writer.member("deadline", deadline)
        writer.member("done", isDone)
    }
}

extension NodeView.DeviceView {
    func write(to writer: inout JSONWriter) {
        writer.member("index", device.index)
        writer.member("kind", device.kind.name)
        writer.member("vendor", device.vendor)
        writer.member("model", device.model)
        writer.member("uuid", device.uuid)
        writer.member("pciAddress", device.pciAddress.isEmpty ? nil : device.pciAddress)
        writer.member("memoryBytes", device.memoryBytes)
        writer.member("memoryBytesAllocated", memoryBytesAllocated)
        writer.member("shareMilliAllocated", shareMilliAllocated)
        writer.member("numaNode", device.numaNode)
        writer.member("pcieSwitch", device.pcieSwitch)
        writer.member("linkGroup", device.linkGroup)
        writer.member("partitionable", device.isPartitionable)
        let model = DeviceModelTable.nominal.lookup(device: device)
        writer.member("computeUnitsMilli", model?.computeUnitsMilli)
        writer.member("computeUnitsConfirmed", model?.isConfirmed)
    }
}

extension TopologySummary {
    func write(to writer: inout JSONWriter) {
        writer.member("architecture", architecture)
        writer.member("cpuModel", cpuModel)
        writer.member("packages", packages)
        writer.member("numaNodes", numaNodes)
        writer.member("level3Caches", level3Caches)
        writer.member("level2Caches", level2Caches)
        writer.member("cores", cores)
        writer.member("processingUnits", processingUnits)
        writer.member("pciDevices", pciDevices)
        writer.member("osDevices", osDevices)
    }
}

extension ClusterView {
    func write(to writer: inout JSONWriter) {
        writer.member("id", Hexadecimal.text(clusterID))
        writer.member("epoch", epoch.value)
        writer.member("outdated", isOutdated)
        writer.member("revision", revision)
        writer.member("nodesRegistered", nodesRegistered)
        writer.member("nodesReady", nodesReady)
        writer.member("cpuMilliTotal", cpuMilliTotal)
        writer.member("cpuMilliAllocated", cpuMilliAllocated)
        writer.member("memoryBytesTotal", memoryBytesTotal)
        writer.member("memoryBytesAllocated", memoryBytesAllocated)
        writer.member("computeUnitsMilliTotal", devices.reduce(0) { $0 + $1.pricedComputeUnitsMilli })
        writer.member("computeUnitsMilliAllocated", devices.reduce(0) { $0 + $1.pricedComputeUnitsMilliAllocated })
        writer.member("computeUnitsTable", DeviceModelTable.nominal.version)
        writer.member("devices", items: devices) { writer, total in
            writer.object {
                $0.member("kind", total.kind.name)
                $0.member("model", total.model)
                $0.member("simulated", total.isSimulated)
                $0.member("count", total.count)
                $0.member("shareMilliAllocated", total.shareMilliAllocated)
                $0.member("computeUnitsMilliEach", total.computeUnits?.milliEach)
                $0.member("computeUnitsConfirmed", total.computeUnits?.isConfirmed)
            }
        }
        writer.member("jobsLive", jobsLive)
        writer.member("tasksQueued", tasksQueued)
        writer.member("tasksLive", tasksLive)
        writer.member("queue", items: queue) { writer, total in
            writer.object {
                $0.member("reason", total.reason)
                $0.member("tasks", total.tasks)
                $0.member("oldestAt", total.oldestAt)
            }
        }
    }
}
