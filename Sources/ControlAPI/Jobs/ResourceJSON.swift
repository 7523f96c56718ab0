import ClusterModel

// What is asked for and what is held, as replies show it.

extension ResourceRequest {
    func write(to writer: inout JSONWriter) {
        writer.member("cpuMilli", cpuMilli)
        writer.member("memoryBytes", memoryBytes)
        writer.member("wholeCores", hasWholeCores)
        if let devices { writer.member("devices") { devices.write(to: &$0) } } else { writer.null("devices") }
        writer.member("alternatives", items: alternatives) { writer, devices in writer.object { devices.write(to: &$0) } }
        writer.member("topology", map: topology.stated.map { ($0.level.name, $0.wish.name) })
        writer.member("spread", topology.sharing == .spread)
    }
}

extension DeviceRequest {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("kind", kind?.name)
        writer.member("count", count)
        writer.member("shareMilli", shareMilli)
        writer.member("memoryBytes", memoryBytes)
        writer.member("model", modelPattern.isEmpty ? nil : modelPattern)
        writer.member("template", template.isEmpty ? nil : template)
        writer.member("computeUnitsMilli", computeUnitsMilli)
    }
}

extension Allocation {
    func write(to writer: inout JSONWriter) {
        writer.member("cpuMilli", cpuMilli)
        writer.member("memoryBytes", memoryBytes)
        writer.member("devices", items: devices) { writer, grant in
            writer.object {
                $0.member("index", grant.index)
                $0.member("shareMilli", grant.shareMilli)
                $0.member("memoryBytes", grant.memoryBytes)
                $0.member("template", grant.partition?.template)
                $0.member("slots", grant.partition?.slots)
            }
        }
        writer.member("processors", items: processors) { writer, processor in writer.value(processor) }
        writer.member("numaNode", numaNode)
        writer.member("locality") {
            $0.member("devices", locality.devices?.name)
            $0.member("gang", locality.gang?.name)
        }
    }
}
