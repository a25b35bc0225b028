// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// What every service function with a call does: finds the call, reads the request, and records why it failed.
enum ServiceCall {
    /// - Parameter function: Of the host, for the log line about a call that is over.
    /// - Returns: `TROVE_OK`, or the code of what `body` threw, recorded with the call.
    static func serve(
        _ token: OpaquePointer?, _ function: StaticString, _ body: (PluginCall) throws(PluginError) -> Void
    ) -> trove_status {
        guard let call = CallTable.shared.find(token, function) else { return trove_status(TROVE_PRECONDITION_FAILED) }
        do throws(PluginError) {
            try body(call)
            return trove_status(TROVE_OK)
        } catch {
            var named = error
            if named.pluginID.isEmpty { named.pluginID = call.host.id }
            if named.code == .cancelled, call.stopReason == .timedOut { named.code = .timedOut }
            call.record(named)
            return named.code.status
        }
    }

    /// The request, an object; no bytes are an empty one.
    static func object(_ text: trove_str, _ what: String, limit: Int = 16 << 20) throws(PluginError) -> JSONValue {
        guard text.len <= limit else { throw invalid("\(what) is larger than \(limit) bytes") }
        guard text.len > 0 else { return .object([:]) }
        let document: JSONValue
        do { document = try JSONValue(parsing: Borrowed.bytes(text)) } catch {
            throw invalid("\(what) is not JSON: \(error.message)")
        }
        guard document.objectValue != nil else { throw invalid("\(what) must be an object") }
        return document
    }

    /// A name of 1 to 255 bytes of printable ASCII.
    static func name(_ text: trove_str, _ what: String) throws(PluginError) -> String {
        guard let start = text.ptr, text.len > 0, text.len <= Int(TROVE_KV_KEY_MAX) else {
            throw invalid("\(what) must have 1 to \(TROVE_KV_KEY_MAX) bytes")
        }
        let bytes = UnsafeRawBufferPointer(start: start, count: text.len)
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 <= 0x7e }) else { throw invalid("\(what) must be printable ASCII") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `{"prefix", "after", "limit"}`, all optional.
    static func range(_ text: trove_str, _ what: String) throws(PluginError) -> NameRange {
        let document = try object(text, what)
        var range = NameRange()
        range.prefix = try optionalText(document["prefix"], "prefix of \(what)") ?? ""
        range.after = try optionalText(document["after"], "after of \(what)")
        if let limit = document["limit"], !limit.isNull {
            guard let number = limit.intValue, (1...1000).contains(number) else {
                throw invalid("limit of \(what) must be 1 to 1000")
            }
            range.limit = number
        }
        return range
    }

    static func optionalText(_ value: JSONValue?, _ what: String) throws(PluginError) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let text = value.stringValue else { throw invalid("\(what) must be a text") }
        return text
    }

    static func invalid(_ message: String) -> PluginError { PluginError(.invalidArgument, message) }

    static func absent(_ what: String) -> PluginError {
        PluginError(.unavailable, "this process has no \(what) for plugins")
    }
}
