// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc

/// The host's side of a stream that a plugin reads or writes; lives in the memory of its call.
struct PluginStream {
    private let token: OpaquePointer?
    /// A copy of the caller's descriptor, so that a call that is given up cannot touch what comes under its number.
    private let file: Int32
    /// The same pipe without blocking, or `file`.
    private let direct: Int32
    private let isSocket: Bool

    /// A pipe that can be written at all takes this much at once. Source: pipe(7), PIPE_BUF.
    private static let atomicBytes = 4096

    static func input(_ file: Int32, _ call: PluginCall, _ token: OpaquePointer?) -> UnsafePointer<trove_istream_1>? {
        guard let state = make(file, call, token, writes: false) else { return nil }
        let stream = call.scratch(MemoryLayout<trove_istream_1>.size).assumingMemoryBound(to: trove_istream_1.self)
        stream.initialize(
            to: trove_istream_1(
                size: UInt32(MemoryLayout<trove_istream_1>.size), fd: state.pointee.file, ctx: state,
                read: { stream, buffer, capacity in
                    PluginStream.state(stream?.pointee.ctx)?.read(buffer, capacity) ?? -1
                }))
        return UnsafePointer(stream)
    }

    static func output(_ file: Int32, _ call: PluginCall, _ token: OpaquePointer?) -> UnsafePointer<trove_ostream_1>? {
        guard let state = make(file, call, token, writes: true) else { return nil }
        let stream = call.scratch(MemoryLayout<trove_ostream_1>.size).assumingMemoryBound(to: trove_ostream_1.self)
        stream.initialize(
            to: trove_ostream_1(
                size: UInt32(MemoryLayout<trove_ostream_1>.size), fd: state.pointee.file, ctx: state,
                write: { stream, data, count in
                    PluginStream.state(stream?.pointee.ctx)?.write(data, count) ?? -1
                }))
        return UnsafePointer(stream)
    }

    private static func state(_ context: UnsafeMutableRawPointer?) -> PluginStream? {
        context?.assumingMemoryBound(to: PluginStream.self).pointee
    }

    private static func make(
        _ file: Int32, _ call: PluginCall, _ token: OpaquePointer?, writes: Bool
    ) -> UnsafeMutablePointer<PluginStream>? {
        let copy = fcntl(file, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { return nil }
        var info = stat()
        let kind = fstat(copy, &info) == 0 ? info.st_mode & S_IFMT : 0
        var direct = copy
        if writes, kind == S_IFIFO {
            // Another description of the same pipe: O_NONBLOCK on ours would reach the child that gets it.
            let reopened = open("/proc/self/fd/\(copy)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            if reopened >= 0 { direct = reopened }
        }
        let state = call.scratch(MemoryLayout<PluginStream>.size).assumingMemoryBound(to: PluginStream.self)
        state.initialize(
            to: PluginStream(token: token, file: copy, direct: direct, isSocket: kind == S_IFSOCK))
        call.atEnd { [direct] in
            close(copy)
            if direct != copy { close(direct) }
        }
        return state
    }

    private func read(_ buffer: UnsafeMutableRawPointer?, _ capacity: Int) -> Int64 {
        guard let buffer, capacity > 0 else { return capacity == 0 ? 0 : -1 }
        while wait(for: file, Int16(POLLIN), "read") {
            let count = Glibc.read(file, buffer, capacity)
            if count >= 0 { return Int64(count) }
            guard errno == EINTR || errno == EAGAIN else { return -1 }
        }
        return -1
    }

    private func write(_ data: UnsafeRawPointer?, _ count: Int) -> Int64 {
        guard let data, count > 0 else { return count == 0 ? 0 : -1 }
        while wait(for: direct, Int16(POLLOUT), "write") {
            let done =
                isSocket
                ? send(direct, data, count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                : Glibc.write(direct, data, direct == file ? min(count, Self.atomicBytes) : count)
            if done >= 0 { return Int64(done) }
            guard errno == EINTR || errno == EAGAIN else { return -1 }
        }
        return -1
    }

    /// - Returns: False once the call shall stop, or is over.
    private func wait(for file: Int32, _ events: Int16, _ function: StaticString) -> Bool {
        guard let call = CallTable.shared.find(token, function) else { return false }
        var watched = [
            pollfd(fd: file, events: events, revents: 0),
            pollfd(fd: call.cancelFD(), events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&watched, nfds_t(watched.count), -1)
            if count < 0 && errno == EINTR { continue }
            return count > 0 && watched[1].revents == 0
        }
    }
}
