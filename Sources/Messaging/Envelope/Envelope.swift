// SPDX-License-Identifier: Apache-2.0

package import Model

/// The outer document of every message on the bus.
///
/// Shape: `{"oslo.version": "2.0", "oslo.message": "<JSON text of the message>"}`, UTF-8 without byte order mark. A body
/// without both members is the message itself. Extra members are ignored.
/// Source: oslo.messaging, envelope version 2.0; what is accepted and refused is what its rabbit driver accepts and refuses.
package enum Envelope {
    private static let versionKey = "oslo.version"
    private static let messageKey = "oslo.message"

    /// The body that carries `message`.
    package static func close(_ message: [String: JSONValue]) -> [UInt8] {
        let text = JSONValue.object(message).text
        var writer = JSONWriter(reservingBytes: text.utf8.count + text.utf8.count / 4 + 64)
        writer.object { writer in
            writer.key(versionKey)
            writer.string("2.0")
            writer.key(messageKey)
            writer.string(text)
        }
        return writer.bytes
    }

    /// The message that `body` carries.
    ///
    /// - Throws: `badMessage`, without any of the body's content.
    package static func open(_ body: [UInt8]) throws(MessagingError) -> [String: JSONValue] {
        if let message = EnvelopeScanner.message(body) { return try object(message, "oslo.message") }
        let outer = try object(body, "body")
        guard let version = outer[versionKey], let inner = outer[messageKey] else { return outer }
        guard let version = version.stringValue, isSupported(version) else {
            throw MessagingError(.badMessage, "the envelope's version is not 2.0")
        }
        guard let text = inner.stringValue else {
            throw MessagingError(.badMessage, "the envelope's oslo.message is not a string")
        }
        return try object(Array(text.utf8), "oslo.message")
    }

    private static func object(_ bytes: [UInt8], _ what: String) throws(MessagingError) -> [String: JSONValue] {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw MessagingError(.badMessage, "the \(what) is not JSON: \(error.message)")
        }
        guard case .object(let members) = value else {
            throw MessagingError(.badMessage, "the \(what) is not an object")
        }
        return members
    }

    /// Whether an envelope version can be read: major 2, minor not above 0.
    private static func isSupported(_ text: String) -> Bool {
        if text == "2.0" { return true }
        guard let version = RPCVersion(text) else { return false }
        return RPCVersion(major: 2, minor: 0).accepts(version)
    }
}
