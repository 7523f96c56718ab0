// zlib streams (RFC 1950), whole buffers at a time.

import CZlib
public import ClusterPorts

public enum Compression {
    public static func compress(_ bytes: [UInt8]) throws(DiscoveryError) -> [UInt8] {
        var status: Int32 = Z_OK
        let output = [UInt8](unsafeUninitializedCapacity: Int(compressBound(UInt(bytes.count)))) { buffer, count in
            var length = UInt(buffer.count)
            status = compress2(buffer.baseAddress, &length, bytes, UInt(bytes.count), Z_BEST_COMPRESSION)
            count = status == Z_OK ? Int(length) : 0
        }
        guard status == Z_OK else { throw DiscoveryError("zlib cannot compress \(bytes.count) bytes (code \(status))") }
        return output
    }

    /// The whole content of a stream, refusing more than `limit` bytes before they are made: a few kilobytes can
    /// stand for gigabytes. Bytes after the stream's end are refused too.
    public static func decompress(_ bytes: [UInt8], limit: Int) throws(DiscoveryError) -> [UInt8] {
        var input = bytes
        var stream = z_stream()
        guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw DiscoveryError("zlib cannot be initialised")
        }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var status: Int32 = Z_OK
        var unread = 0
        input.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(clamping: source.count)
            while status == Z_OK, output.count <= limit {
                let chunk = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(buffer.count)
                    status = inflate(&stream, Z_NO_FLUSH)
                    count = buffer.count - Int(stream.avail_out)
                }
                output += chunk
            }
            unread = Int(stream.avail_in)
        }
        guard output.count <= limit else { throw DiscoveryError("the compressed topology unpacks to more than \(limit) bytes") }
        guard status == Z_STREAM_END, unread == 0 else { throw DiscoveryError("the compressed topology is not a whole zlib stream") }
        return output
    }
}
