// NVML is tested against a stand-in: a small library with the same functions and layouts, built with the C
// compiler. It stands for the interface, not for a driver.

import ClusterModel
import Foundation
import Testing

@testable import HostTopology

@Suite(.enabled(if: FakeNVML.compiler != nil, "no C compiler in /usr/bin"))
struct NVMLProbeTests {
    @Test func missingLibraryIsSilent() {
        #expect(NVMLProbe(library: "libsuanpan-no-such-library.so.1").report() == NVMLReport())
    }

    @Test func devicesAreReadWithTheirAddresses() throws {
        let report = try FakeNVML.withLibrary(flags: ["-DCOUNT=2"]) { NVMLProbe(library: $0).report() }
        #expect(report.isAuthoritative)
        #expect(report.warnings.isEmpty)
        #expect(
            report.devices == [
                PCIAddress(domain: 0, bus: 0x3b, device: 0, function: 0): NVMLDevice(
                    model: "NVIDIA H200", uuid: "GPU-0", memoryBytes: 150_754_820_096),
                PCIAddress(domain: 1, bus: 0x3c, device: 0, function: 0): NVMLDevice(
                    model: "NVIDIA H200", uuid: "GPU-1", memoryBytes: 150_754_820_096),
            ])
    }

    @Test func linksThatAreUpAreRead() throws {
        let report = try FakeNVML.withLibrary(flags: ["-DCOUNT=2", "-DLINKS"]) { NVMLProbe(library: $0).report() }
        let ends = [PCIAddress(domain: 0, bus: 0x3b, device: 0, function: 0), PCIAddress(domain: 1, bus: 0x3c, device: 0, function: 0)]
        #expect(report.links == [DeviceLink(from: ends[0], to: ends[1]), DeviceLink(from: ends[1], to: ends[0])])
        #expect(DeviceScan([], nvml: report).devices.map(\.linkGroup) == [0, 0])
    }

    @Test func libraryThatDoesNotStartIsOneWarning() throws {
        let report = try FakeNVML.withLibrary(flags: ["-DCOUNT=2", "-DINIT=9"]) { NVMLProbe(library: $0).report() }
        #expect(report.devices.isEmpty)
        #expect(!report.isAuthoritative)
        #expect(report.warnings.count == 1)
        #expect(report.warnings.first?.contains("Driver Not Loaded") == true)
    }

    @Test func lostDeviceLeavesTheOthers() throws {
        let report = try FakeNVML.withLibrary(flags: ["-DCOUNT=2", "-DLOST=1"]) { NVMLProbe(library: $0).report() }
        #expect(report.devices.count == 1)
        #expect(!report.isAuthoritative)
        #expect(report.warnings.count == 1)
    }

    @Test func libraryWithoutTheFunctionsIsOneWarning() throws {
        let report = try FakeNVML.withLibrary(flags: ["-DEMPTY"]) { NVMLProbe(library: $0).report() }
        #expect(report.devices.isEmpty)
        #expect(report.warnings.count == 1)
    }
}

private enum FakeNVML {
    static let compiler = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].first { FileManager.default.isExecutableFile(atPath: $0) }

    static func withLibrary<T>(flags: [String], _ body: (String) throws -> T) throws -> T {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("suanpan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appendingPathComponent("nvml.c").path
        let library = directory.appendingPathComponent("libnvml.so").path
        try Data(source.utf8).write(to: URL(fileURLWithPath: file))
        _ = try run(compiler ?? "/usr/bin/cc", ["-shared", "-fPIC", "-Wall", "-Werror", "-o", library, file] + flags)
        return try body(library)
    }

    private static let source = """
        #include <stdio.h>
        #include <string.h>
        #ifdef EMPTY
        int nothing(void) { return 0; }
        #else
        #ifndef INIT
        #define INIT 0
        #endif
        #ifndef LOST
        #define LOST 99
        #endif
        typedef struct { char legacy[16]; unsigned domain, bus, device, deviceID, subsystemID; char busID[32]; } Pci;
        typedef struct { unsigned long long total, free, used; } Memory;
        static int devices[COUNT];
        int nvmlInit_v2(void) { return INIT; }
        int nvmlShutdown(void) { return 0; }
        const char *nvmlErrorString(int status) { return status == 9 ? "Driver Not Loaded" : "GPU is lost"; }
        int nvmlDeviceGetCount_v2(unsigned *count) { *count = COUNT; return 0; }
        int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
            if (index == LOST) return 15;
            devices[index] = (int)index;
            *handle = &devices[index];
            return 0;
        }
        int nvmlDeviceGetUUID(void *d, char *text, unsigned size) { snprintf(text, size, "GPU-%d", *(int *)d); return 0; }
        int nvmlDeviceGetName(void *d, char *text, unsigned size) { (void)d; snprintf(text, size, "NVIDIA H200"); return 0; }
        int nvmlDeviceGetMemoryInfo(void *d, Memory *m) { (void)d; m->total = 150754820096ULL; m->free = 1; m->used = 2; return 0; }
        int nvmlDeviceGetPciInfo_v3(void *d, Pci *pci) {
            int index = *(int *)d;
            memset(pci, 0, sizeof *pci);
            snprintf(pci->legacy, sizeof pci->legacy, "%04X:%02X:00.0", index, 0x3b + index);
            pci->domain = index;
            pci->bus = 0x3b + index;
            snprintf(pci->busID, sizeof pci->busID, "%08X:%02X:00.0", index, 0x3b + index);
            return 0;
        }
        #ifdef LINKS
        int nvmlDeviceGetNvLinkState(void *d, unsigned link, unsigned *up) { (void)d; *up = link == 2; return link < 6 ? 0 : 3; }
        int nvmlDeviceGetNvLinkRemotePciInfo_v2(void *d, unsigned link, Pci *pci) {
            int other = 1 - *(int *)d;
            (void)link;
            return nvmlDeviceGetPciInfo_v3(&other, pci);
        }
        #endif
        #endif

        """
}
