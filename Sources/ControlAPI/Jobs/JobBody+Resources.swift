// What the tasks of a group need, as a request gives it.

import ClusterModel

extension JobBody {
    func resources(_ reader: inout FieldReader) -> ResourceRequest {
        var request = ResourceRequest()
        request.topology = topology(&reader)
        guard let value = reader.value("resources") else { return request }
        var entry = FieldReader(value, at: reader.path(of: "resources"), problems: problems)
        if let cpu = entry.quantity("cpu", forms: Quantity.cpuForms, Quantity.cpuMilli) { request.cpuMilli = cpu }
        if let memory = entry.quantity("memory", forms: Quantity.byteForms, Quantity.bytes) { request.memoryBytes = memory }
        request.hasWholeCores = entry.bool("wholeCores") ?? false
        let own = devices(&entry)
        let choices = alternatives(&entry)
        if own != nil, !choices.isEmpty { problems.add(entry.path(of: "anyOf"), "stands beside devices: give all of them in it") }
        request.devices = own ?? choices.first
        request.alternatives = Array(choices.dropFirst())
        entry.finish()
        return request
    }

    /// Ways of having devices, the best liked first.
    private func alternatives(_ reader: inout FieldReader) -> [DeviceRequest] {
        guard let items = reader.items("anyOf") else { return [] }
        if items.isEmpty { problems.add(reader.path(of: "anyOf"), "is empty — leave it out for a task without devices") }
        if items.count > ResourceRequest.choicesMax {
            problems.add(reader.path(of: "anyOf"), "\(items.count) ways — expected at most \(ResourceRequest.choicesMax)")
        }
        return items.prefix(ResourceRequest.choicesMax).enumerated().compactMap { index, item in
            var entry = FieldReader(item, at: .item(reader.path(of: "anyOf"), index), problems: problems)
            let devices = devices(&entry)
            entry.finish()
            if devices == nil { problems.add(entry.path, "says no devices — expected gpu, npu or computeUnits") }
            return devices
        }
    }

    /// Devices in one way.
    private func devices(_ reader: inout FieldReader) -> DeviceRequest? {
        let gpu = devices(&reader, "gpu", .gpu)
        let npu = devices(&reader, "npu", .npu)
        let units = reader.quantity("computeUnits", forms: Quantity.computeUnitForms, Quantity.computeUnitsMilli)
            .map { DeviceRequest.computeUnits(milli: $0) }
        let given = [gpu, npu, units].compactMap(\.self)
        if given.count > 1 { problems.add(reader.path, "a task has devices in one way: give gpu, npu or computeUnits, or a list in anyOf") }
        return given.first
    }

    /// A number of whole devices, or an object that says how much of each.
    private func devices(_ reader: inout FieldReader, _ name: StaticString, _ kind: DeviceKind) -> DeviceRequest? {
        guard let value = reader.value(name) else { return nil }
        switch value {
        case .number(let text):
            guard let count = UInt32(text) else { break }
            return count == 0 ? nil : DeviceRequest(kind: kind, count: count)
        case .object:
            var entry = FieldReader(value, at: reader.path(of: name), problems: problems)
            let request = devices(of: kind, &entry)
            entry.finish()
            return request
        default: break
        }
        problems.add(
            reader.path(of: name), expected: "a number of devices, or {count, share, memory, model, template, computeUnits}", not: value)
        return nil
    }

    private func devices(of kind: DeviceKind, _ entry: inout FieldReader) -> DeviceRequest? {
        let count: UInt32? = entry.integer("count", 0...1024)
        let memory = entry.quantity("memory", forms: Quantity.byteForms, Quantity.bytes)
        let share = entry.quantity("share", forms: Quantity.shareForms, Quantity.shareMilli)
        let model = entry.string("model") ?? ""
        let template = entry.string("template")
        let units = entry.quantity("computeUnits", forms: Quantity.computeUnitForms, Quantity.computeUnitsMilli)
        if template != nil || units != nil, share != nil || memory != nil || (units != nil && (count != nil || template != nil)) {
            problems.add(
                entry.path,
                units == nil ? "the template says how much: leave out share and memory" : "compute units say how much: leave out the rest")
        }
        if let units { return .computeUnits(milli: units, kind: kind, modelPattern: model) }
        guard count != 0 else { return nil }
        if let template { return .partitions(template, kind: kind, count: count ?? 1, modelPattern: model) }
        return DeviceRequest(
            kind: kind, count: count ?? 1, shareMilli: share ?? (memory == nil ? 1000 : 0), memoryBytes: memory ?? 0, modelPattern: model)
    }

    private func topology(_ reader: inout FieldReader) -> TopologyRequest {
        var wishes: [TopologyLevel: TopologyWish] = [:]
        if let value = reader.value("topology") {
            var entry = FieldReader(value, at: reader.path(of: "topology"), problems: problems)
            for (level, name) in Self.levels {
                if let wish = entry.choice(name, named: \TopologyWish.name) { wishes[level] = wish }
            }
            entry.finish()
        }
        return TopologyRequest(wishes, sharing: reader.bool("spread") ?? false ? .spread : .pack)
    }

    private static let levels: [(TopologyLevel, StaticString)] = [
        (.link, "link"), (.pcie, "pcie"), (.numa, "numa"), (.node, "node"), (.rack, "rack"), (.block, "block"), (.center, "center"),
    ]
}
