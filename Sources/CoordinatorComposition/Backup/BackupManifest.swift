// What a backup says of itself; Protocols/journal.md, "Backups", is the specification.

import ClusterModel
import DaemonKit
import Foundation
import LedgerHashing

/// The last member of the archive: a backup without it is not whole.
struct BackupManifest: Codable, Hashable {
    /// Rises when a reader of today would misunderstand what is written tomorrow.
    static let currentFormat = 1

    var format = Self.currentFormat
    /// Of the program that made it.
    var programVersion = Release.version
    var createdAt: String
    var clusterId: String
    var epoch: UInt64
    /// Version of the tables.
    var schema: Int64
    /// The last batch.
    var journalIndex: UInt64
    /// Instant of the last batch, nanoseconds since 1970.
    var journalTime: Int64
    var ledgerSequence: UInt64
    /// What snapshot and tail recover to, in the form of this level.
    var stateLevel: UInt32
    var stateDigest: String
    /// Folders that are in it beside the journal.
    var folders: [String]
    var memberCount: Int
    /// SHA-256 of the member `SHA256SUMS`, which has a line for each member before it.
    var sumsDigest: String
    /// Fingerprints of the key files that a restored coordinator needs; the keys themselves are never in a backup.
    var keys: [String: String]

    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
        }
    }

    /// The format is looked at first: what else a newer one holds is not known here.
    init(parsing bytes: [UInt8]) throws {
        struct Version: Decodable {
            var format: Int
            var programVersion: String
        }
        let decoder = JSONDecoder()
        guard let version = try? decoder.decode(Version.self, from: Data(bytes)) else {
            throw StartError("the backup's manifest cannot be read: it is damaged, or this is no backup; use another")
        }
        guard version.format <= Self.currentFormat else {
            throw StartError(
                "the backup has format \(version.format), made by release \(version.programVersion.prefix(20)); this is release "
                    + "\(Release.version) and reads up to format \(Self.currentFormat): use that release or a newer one")
        }
        do {
            self = try decoder.decode(Self.self, from: Data(bytes))
        } catch { throw StartError("the backup's manifest is damaged (\(error)); use another backup") }
    }

    init(
        createdAt: String, clusterId: String, epoch: UInt64, schema: Int64, journalIndex: UInt64, journalTime: Int64,
        ledgerSequence: UInt64, stateLevel: UInt32, stateDigest: String, folders: [String], memberCount: Int, sumsDigest: String,
        keys: [String: String]
    ) {
        self.createdAt = createdAt
        self.clusterId = clusterId
        self.epoch = epoch
        self.schema = schema
        self.journalIndex = journalIndex
        self.journalTime = journalTime
        self.ledgerSequence = ledgerSequence
        self.stateLevel = stateLevel
        self.stateDigest = stateDigest
        self.folders = folders
        self.memberCount = memberCount
        self.sumsDigest = sumsDigest
        self.keys = keys
    }
}

/// What may stand in a backup beside the journal. Each is a folder of the data directory whose files are only ever made,
/// lengthened and removed.
enum BackupFolder: String, CaseIterable {
    /// Output of attempts.
    case logs
}

/// The key files of a data directory, which are outside backups.
enum BackupKeys {
    static let names = ["secrets.key", "server.key"]

    /// The identity of the interface, where it made its own: without it every client that trusts the certificate turns away.
    static let identity = ["tls/certificate.pem", "tls/key.pem"]

    /// Eight bytes of a digest: enough to tell keys apart, nothing to find them by.
    static func fingerprint(of key: [UInt8], named name: String) -> String {
        Hex.text(Array(sha256(Array("suanpan \(name)\n".utf8) + key).prefix(8)))
    }

    /// Fingerprints of the keys in a directory.
    static func fingerprints(in directory: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in names {
            guard let key = try KeyFile.read("\(directory)/\(name)") else { continue }
            found[name] = fingerprint(of: key, named: name)
        }
        return found
    }
}

enum Hex {
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0]! << 4 | digits[$0 + 1]!) }
    }
}
