// NVIDIA's management library, asked at run time. Debian's hwloc is built without it, and a machine without
// the driver must still start an agent, so it is never linked.
//
// Signatures, sizes and layouts: NVML API Reference Guide, "Device Queries" and "Device Structs".

import Glibc

/// One device as NVML describes it.
struct NVMLDevice: Equatable {
    var model: String
    var uuid: String
    var memoryBytes: Int64
}

/// What NVML said.
struct NVMLReport: Equatable {
    var devices: [PCIAddress: NVMLDevice] = [:]
    /// NVLinks that are up, to other devices or to switches.
    var links: [DeviceLink] = []
    /// At most one, about the library as a whole, and one a device that could not be read.
    var warnings: [String] = []
    /// Whether every device was read: only then does absence from `devices` mean that a device is unusable.
    var isAuthoritative = false
}

struct NVMLProbe: Sendable {
    /// A file name for the dynamic linker.
    var library = "libnvidia-ml.so.1"

    /// Asks once and closes the library again. No library, no NVIDIA driver: no information and no warning.
    func report() -> NVMLReport {
        guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else { return NVMLReport() }
        defer { dlclose(handle) }
        guard let functions = NVMLFunctions(handle) else {
            return NVMLReport(warnings: ["\(library) lacks functions of NVML 5 or later; NVIDIA devices have no memory size"])
        }
        let status = functions.initialise()
        guard status == NVMLFunctions.success else {
            return NVMLReport(warnings: ["\(library) does not start (\(functions.text(status))); NVIDIA devices have no memory size"])
        }
        defer { _ = functions.shutdown() }
        return functions.report()
    }
}

/// The functions in use, resolved.
private struct NVMLFunctions {
    typealias Handle = OpaquePointer
    static let success: Int32 = 0

    let initialise: @convention(c) () -> Int32
    let shutdown: @convention(c) () -> Int32
    let errorString: @convention(c) (Int32) -> UnsafePointer<CChar>?
    let count: @convention(c) (UnsafeMutablePointer<UInt32>) -> Int32
    let handleByIndex: @convention(c) (UInt32, UnsafeMutablePointer<Handle?>) -> Int32
    let uuid: @convention(c) (Handle, UnsafeMutablePointer<CChar>, UInt32) -> Int32
    let name: @convention(c) (Handle, UnsafeMutablePointer<CChar>, UInt32) -> Int32
    let memory: @convention(c) (Handle, UnsafeMutableRawPointer) -> Int32
    let pci: @convention(c) (Handle, UnsafeMutableRawPointer) -> Int32
    /// nil in a library that knows no NVLink.
    let linkState: (@convention(c) (Handle, UInt32, UnsafeMutablePointer<UInt32>) -> Int32)?
    let linkRemote: (@convention(c) (Handle, UInt32, UnsafeMutableRawPointer) -> Int32)?

    init?(_ library: UnsafeMutableRawPointer) {
        guard let initialise = dlsym(library, "nvmlInit_v2"), let shutdown = dlsym(library, "nvmlShutdown"),
            let errorString = dlsym(library, "nvmlErrorString"), let count = dlsym(library, "nvmlDeviceGetCount_v2"),
            let handleByIndex = dlsym(library, "nvmlDeviceGetHandleByIndex_v2"), let uuid = dlsym(library, "nvmlDeviceGetUUID"),
            let name = dlsym(library, "nvmlDeviceGetName"), let memory = dlsym(library, "nvmlDeviceGetMemoryInfo"),
            let pci = dlsym(library, "nvmlDeviceGetPciInfo_v3")
        else { return nil }
        self.initialise = unsafeBitCast(initialise, to: (@convention(c) () -> Int32).self)
        self.shutdown = unsafeBitCast(shutdown, to: (@convention(c) () -> Int32).self)
        self.errorString = unsafeBitCast(errorString, to: (@convention(c) (Int32) -> UnsafePointer<CChar>?).self)
        self.count = unsafeBitCast(count, to: (@convention(c) (UnsafeMutablePointer<UInt32>) -> Int32).self)
        self.handleByIndex = unsafeBitCast(
            handleByIndex, to: (@convention(c) (UInt32, UnsafeMutablePointer<Handle?>) -> Int32).self)
        self.uuid = unsafeBitCast(uuid, to: (@convention(c) (Handle, UnsafeMutablePointer<CChar>, UInt32) -> Int32).self)
        self.name = unsafeBitCast(name, to: (@convention(c) (Handle, UnsafeMutablePointer<CChar>, UInt32) -> Int32).self)
        self.memory = unsafeBitCast(memory, to: (@convention(c) (Handle, UnsafeMutableRawPointer) -> Int32).self)
        self.pci = unsafeBitCast(pci, to: (@convention(c) (Handle, UnsafeMutableRawPointer) -> Int32).self)
        linkState = dlsym(library, "nvmlDeviceGetNvLinkState").map {
            unsafeBitCast($0, to: (@convention(c) (Handle, UInt32, UnsafeMutablePointer<UInt32>) -> Int32).self)
        }
        linkRemote = dlsym(library, "nvmlDeviceGetNvLinkRemotePciInfo_v2").map {
            unsafeBitCast($0, to: (@convention(c) (Handle, UInt32, UnsafeMutableRawPointer) -> Int32).self)
        }
    }

    func text(_ status: Int32) -> String {
        errorString(status).map { String(cString: $0) } ?? "error \(status)"
    }

    func report() -> NVMLReport {
        var total: UInt32 = 0
        let status = count(&total)
        guard status == Self.success else {
            return NVMLReport(warnings: ["NVML cannot count its devices: \(text(status))"])
        }
        var report = NVMLReport(isAuthoritative: true)
        // No machine holds as many; a driver gone wrong shall not keep the agent from starting.
        for index in 0..<min(total, 1024) {
            var device: Handle?
            let status = handleByIndex(index, &device)
            guard status == Self.success, let device, let address = address(of: device) else {
                // A device that fell off the bus: the others are still good, but absence proves nothing now.
                report.isAuthoritative = false
                let reason = status == Self.success ? "it has no PCI address" : text(status)
                report.warnings.append("NVML cannot open device \(index): \(reason)")
                continue
            }
            report.devices[address] = NVMLDevice(
                model: string(96) { name(device, $0, $1) }, uuid: string(96) { uuid(device, $0, $1) },
                memoryBytes: memoryBytes(of: device))
            report.links += links(of: device, at: address)
        }
        return report
    }

    /// `NVML_NVLINK_MAX_LINKS`.
    private static let linksMax: UInt32 = 18

    /// Links that are up. A device without any answers "not supported" to the first.
    private func links(of device: Handle, at address: PCIAddress) -> [DeviceLink] {
        guard let linkState, let linkRemote else { return [] }
        return (0..<Self.linksMax).compactMap { link in
            var isUp: UInt32 = 0
            guard linkState(device, link, &isUp) == Self.success, isUp == 1 else { return nil }
            return self.address { linkRemote(device, link, $0) }.map { DeviceLink(from: address, to: $0) }
        }
    }

    /// `nvmlPciInfo_t`: `char busIdLegacy[16]; unsigned domain, bus, device, pciDeviceId, pciSubSystemId;
    /// char busId[32]`, 68 bytes. The function number is only in `busId`, at offset 36.
    private func address(of device: Handle) -> PCIAddress? { address { pci(device, $0) } }

    private func address(_ read: (UnsafeMutableRawPointer) -> Int32) -> PCIAddress? {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { info in
            info.initializeMemory(as: UInt8.self, repeating: 0)
            guard let base = info.baseAddress, read(base) == Self.success else { return nil }
            let busID = info[36..<68].prefix { $0 != 0 }
            return PCIAddress(String(decoding: busID, as: UTF8.self))
        }
    }

    /// `nvmlMemory_t`: `unsigned long long total, free, used`. Zero when the device does not tell.
    private func memoryBytes(of device: Handle) -> Int64 {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { info in
            info.initializeMemory(as: UInt8.self, repeating: 0)
            guard let base = info.baseAddress, memory(device, base) == Self.success else { return 0 }
            return Int64(clamping: base.load(as: UInt64.self))
        }
    }

    /// The text a function writes into a buffer of `capacity` bytes; empty when it fails.
    private func string(_ capacity: Int, _ fill: (UnsafeMutablePointer<CChar>, UInt32) -> Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity + 1) { buffer in
            buffer.initialize(repeating: 0)
            guard let base = buffer.baseAddress, fill(base, UInt32(capacity)) == Self.success else { return "" }
            return String(cString: base)
        }
    }
}
