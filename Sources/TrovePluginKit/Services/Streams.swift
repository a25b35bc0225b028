// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Lends closures to the host as streams, for one call of the host.
enum LentStream {
    private final class Source {
        let read: (UnsafeMutableRawBufferPointer) throws -> Int
        var failure: (any Error)?
        init(_ read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) { self.read = read }
    }

    private final class Sink {
        let write: (UnsafeRawBufferPointer) throws -> Void
        var failure: (any Error)?
        init(_ write: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.write = write }
    }

    /// - Parameter read: Fills the buffer; how many bytes, 0 at the end.
    /// - Throws: What `read` threw, else what `body` does.
    static func source<Result>(
        _ read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int,
        _ body: (UnsafePointer<trove_istream_1>) throws -> Result
    ) throws -> Result {
        let source = Source(read)
        var table = trove_istream_1(
            size: UInt32(MemoryLayout<trove_istream_1>.size), fd: -1,
            ctx: Unmanaged.passUnretained(source).toOpaque(),
            read: { stream, buffer, capacity in
                guard let context = stream?.pointee.ctx else { return -1 }
                let source = Unmanaged<Source>.fromOpaque(context).takeUnretainedValue()
                do {
                    return Int64(try source.read(UnsafeMutableRawBufferPointer(start: buffer, count: capacity)))
                } catch {
                    source.failure = error
                    return -1
                }
            })
        return try withExtendedLifetime(source) {
            do {
                return try body(&table)
            } catch {
                throw source.failure ?? error
            }
        }
    }

    /// - Parameter write: Takes all bytes of the buffer.
    /// - Throws: What `write` threw, else what `body` does.
    static func sink<Result>(
        _ write: @escaping (UnsafeRawBufferPointer) throws -> Void,
        _ body: (UnsafePointer<trove_ostream_1>) throws -> Result
    ) throws -> Result {
        let sink = Sink(write)
        var table = trove_ostream_1(
            size: UInt32(MemoryLayout<trove_ostream_1>.size), fd: -1,
            ctx: Unmanaged.passUnretained(sink).toOpaque(),
            write: { stream, data, count in
                guard let context = stream?.pointee.ctx else { return -1 }
                let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
                do {
                    try sink.write(UnsafeRawBufferPointer(start: data, count: count))
                    return Int64(count)
                } catch {
                    sink.failure = error
                    return -1
                }
            })
        return try withExtendedLifetime(sink) {
            do {
                return try body(&table)
            } catch {
                throw sink.failure ?? error
            }
        }
    }
}
