// Centers, and what devices are worth.

import ClusterModel
import ClusterPorts
import Hummingbird

extension ControlRouter {
    static var centers: [Endpoint] {
        [
            Endpoint(.get, "/v1/centers", .reading) { call in
                call.page(call.controlPlane.centers(), nextCursor: nil) { writer, center in center.write(to: &writer) }
            },
            Endpoint(.get, "/v1/compute-units", .reading) { call in
                call.json(JSONWriter.object { DeviceModelTable.nominal.write(to: &$0) })
            },
        ]
    }
}

extension CenterView {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("id", center.id)
        writer.member("name", center.name.isEmpty ? nil : center.name)
        writer.member("province", center.province.isEmpty ? nil : center.province)
        writer.member("city", center.city.isEmpty ? nil : center.city)
        writer.member("netAccess", center.hasNetAccess)
        writer.member("nodes", nodes)
        writer.member("nodesReady", nodesReady)
        writer.member("cpuMilliTotal", cpuMilliTotal)
        writer.member("memoryBytesTotal", memoryBytesTotal)
        writer.member("devices", devices)
        writer.member("computeUnitsMilliTotal", computeUnitsMilliTotal)
    }
}

extension DeviceModelTable {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("version", version)
        writer.member("models", items: rows) { writer, row in writer.object { row.write(to: &$0) } }
    }
}

extension DeviceModel {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("name", name)
        writer.member("vendor", vendor)
        writer.member("kind", kind.name)
        writer.member("computeUnitsMilli", computeUnitsMilli)
        writer.member("memoryBytes", memoryBytes)
        writer.member("source", source)
        writer.member("confirmed", isConfirmed)
        writer.member("templates", items: partitioning?.templates ?? []) { writer, template in
            writer.object {
                $0.member("name", template.name)
                $0.member("shareMilli", template.shareMilli)
                $0.member("slots", template.slots)
            }
        }
        writer.member("slots", partitioning?.slots)
        writer.member("templateSource", partitioning?.source)
    }
}
