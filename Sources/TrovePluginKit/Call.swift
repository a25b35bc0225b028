// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// One operation in flight, valid until the function that received it returns.
///
/// Every member may be used on any thread while the call is open.
public struct Call {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    /// Appends a document to the call's result.
    ///
    /// - Throws: `PluginFailure` `.exhausted` past the host's limit of 16 MiB.
    public func emit(_ document: JSON) throws { try emit(bytes: document.serialized) }

    /// Appends bytes to the call's result.
    public func emit(bytes: [UInt8]) throws {
        let status = bytes.withUnsafeBytes { buffer in
            Runtime.host?.pointee.emit?(handle, buffer.baseAddress, buffer.count) ?? Int32(TROVE_INTERNAL)
        }
        guard status == Int32(TROVE_OK) else {
            throw PluginFailure(PluginStatus(code: status), "the result could not be handed to the host")
        }
    }

    /// Tells how far the operation is: `permille` 0...1000, or `nil` for unknown. Frequent reports are thinned out.
    public func progress(_ permille: Int?, _ message: String) {
        let value = permille.map { Int32(min(max($0, 0), 1000)) } ?? -1
        message.withTroveString { Runtime.host?.pointee.progress?(handle, value, $0) }
    }

    /// Whether the caller wants the operation to stop.
    public var isCancelled: Bool { (Runtime.host?.pointee.is_cancelled?(handle) ?? 0) != 0 }

    /// Throws `.cancelled` if the caller wants the operation to stop, `.timedOut` if its time is over.
    public func check() throws {
        if isCancelled { throw PluginFailure(.cancelled, "the operation was cancelled") }
        if let left = timeLeft, left <= .zero { throw PluginFailure(.timedOut, "the operation's time is over") }
    }

    /// A descriptor that becomes readable on cancellation, for `poll`. Never read or close it. `nil` if there is none.
    public var cancelDescriptor: Int32? {
        let descriptor = Runtime.host?.pointee.cancel_fd?(handle) ?? -1
        return descriptor >= 0 ? descriptor : nil
    }

    /// What is left of the call's time; `nil` without a limit, zero or less when it is over.
    public var timeLeft: Duration? {
        guard let left = Runtime.host?.pointee.time_left_ns?(handle), left != Int64.max else { return nil }
        return .nanoseconds(left)
    }

    /// Records `failure` with the host and returns its status.
    func fail(_ failure: PluginFailure) -> trove_status {
        if failure.isRecorded { return failure.status.code }
        let details = failure.details?.text ?? ""
        return failure.sentence.withTroveString { message in
            details.withTroveString { details in
                Runtime.host?.pointee.fail?(handle, failure.status.code, message, details) ?? failure.status.code
            }
        }
    }
}

/// Runs `body` for one call of the boundary and turns what it throws into a recorded status.
func serve(_ handle: OpaquePointer?, _ body: (Call) throws -> Void) -> trove_status {
    guard let handle else { return Int32(TROVE_INTERNAL) }
    let call = Call(handle)
    do {
        try body(call)
        return Int32(TROVE_OK)
    } catch let failure as PluginFailure {
        return call.fail(failure)
    } catch let error as JSONError {
        return call.fail(PluginFailure(.invalidArgument, "the request is not JSON: \(error.message)"))
    } catch {
        return call.fail(PluginFailure(.internal, "unexpected error of type \(type(of: error))"))
    }
}

extension String {
    /// Lends the text to a C function.
    func withTroveString<Result>(_ body: (trove_str) throws -> Result) rethrows -> Result {
        var copy = self
        return try copy.withUTF8 { buffer in
            try buffer.withMemoryRebound(to: CChar.self) { try body(trove_str(ptr: $0.baseAddress, len: $0.count)) }
        }
    }

    /// A copy of borrowed text; invalid UTF-8 is repaired.
    init(borrowed text: trove_str) {
        self.init(decoding: UnsafeRawBufferPointer(start: text.ptr, count: text.len), as: UTF8.self)
    }
}

extension JSON {
    /// Reads a borrowed document.
    init(borrowed text: trove_str) throws(JSONError) {
        try self.init(parsing: UnsafeRawBufferPointer(start: text.ptr, count: text.len))
    }
}
