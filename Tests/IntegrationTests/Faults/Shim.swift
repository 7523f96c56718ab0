import Foundation

/// A daemon's wrong clock and failing disk (`Shim/shim.c`), changed while it runs.
final class Shim {
    private static let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Shim/shim.c").path
    static let isPossible = CutOffMachine.program("cc") != nil
    private let controls: String
    private let library: String

    init(_ cluster: Cluster, _ name: String) throws {
        controls = "\(cluster.directory)/shim-\(name)"
        library = "\(cluster.directory)/shim-\(name).so"
        try Data(count: 16).write(to: URL(filePath: controls))
        try CutOffMachine.run(CutOffMachine.program("cc") ?? "", ["-O1", "-shared", "-fPIC", "-o", library, Self.source, "-ldl"])
    }

    var surroundings: Surroundings { Surroundings(environment: ["LD_PRELOAD": library, "SUANPAN_SHIM": controls]) }

    /// The wall clock is wrong by so much from now on.
    func setWallOffset(seconds: Int64) throws { try write(seconds * 1_000_000_000, at: 0) }

    /// So many of the next fsync and fdatasync calls fail with EIO.
    func failSyncs(_ count: Int64) throws { try write(count, at: 8) }

    private func write(_ value: Int64, at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(filePath: controls))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: withUnsafeBytes(of: value) { Data($0) })
        try file.close()
    }
}

/// A small file system of its own (a loop device), which a test can fill. Needs root.
final class SmallDisk {
    static let isPossible =
        geteuid() == 0 && CutOffMachine.program("mkfs.ext4") != nil && FileManager.default.fileExists(atPath: "/dev/loop-control")
    let path: String
    private let image: String

    init(at path: String, mebibytes: Int) throws {
        (self.path, image) = (path, "\(path).image")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try CutOffMachine.run("/usr/bin/truncate", ["-s", "\(mebibytes)M", image])
        try CutOffMachine.run(CutOffMachine.program("mkfs.ext4") ?? "", ["-q", "-m", "0", image])
        try CutOffMachine.run(CutOffMachine.program("mount") ?? "", ["-o", "loop", image, path])
        chmod(path, 0o711)
    }

    deinit { try? CutOffMachine.run(CutOffMachine.program("umount") ?? "", ["-l", path]) }

    /// Takes all room but about so much; with 0, until nothing more goes in.
    func fill(leaving mebibytes: Int) throws {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
        let free = ((attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0) >> 20
        let count = mebibytes == 0 ? free + 1 : free - mebibytes
        guard count > 0 else { return }
        let output = "of=\(path)/filling-\(UUID().uuidString)"
        // Fails when there is no more room, which is what was asked.
        try? CutOffMachine.run("/bin/dd", ["if=/dev/zero", output, "bs=64k", "count=\(count * 16)", "status=none"])
    }

    func empty() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) where name.hasPrefix("filling-") {
            try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
    }
}
