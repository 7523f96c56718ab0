import ControlAPI
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads certificate and key again when their files have changed, or on SIGHUP. A pair that does not do is refused with a
/// line in the log, and the one before stays: whoever renews a certificate writes two files, one after the other.
struct CertificateWatch: Service {
    let files: SelfSignedCertificate.Files
    let interface: ServedInterface
    let logger: Logger
    /// After a new pair serves.
    var onReload: @Sendable () -> Void = {}

    private static let interval = Duration.seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let (looks, look) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingNewest(1))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { look.yield(true) }
                }
                group.addTask {
                    while (try? await Task.sleep(for: Self.interval)) != nil { look.yield(false) }
                    look.finish()
                }
                var seen = FileVersions(files)
                for await isAsked in looks {
                    let versions = FileVersions(files)
                    guard isAsked || versions != seen else { continue }
                    seen = versions
                    reload()
                }
                group.cancelAll()
            }
        }
    }

    /// Whether the new pair serves from now on.
    @discardableResult
    func reload() -> Bool {
        do throws(ControlServerError) {
            interface.replace(try ServerIdentity(certificateFile: files.certificate, keyFile: files.key))
            onReload()
            logger.info("the certificate was read again", metadata: ["file": "\(files.certificate)"])
            return true
        } catch {
            logger.error("the new certificate does not do; the one before stays", metadata: ["error": "\(error)"])
            return false
        }
    }
}

/// Tells two states of the files apart.
private struct FileVersions: Equatable {
    private var marks: [[Int64]]

    init(_ files: SelfSignedCertificate.Files) {
        marks = [files.certificate, files.key].map { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return [] }
            return [
                Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size), Int64(status.st_mtim.tv_sec),
                Int64(status.st_mtim.tv_nsec),
            ]
        }
    }
}
