// SPDX-License-Identifier: Apache-2.0

import Model

/// A secret as a client wants it, checked as Barbican checks it. Source: Barbican 23, `NewSecretValidator`.
struct SecretRequest: Sendable {
    /// Of a payload, decoded.
    static let payloadBytes = 20_000
    /// Of a request with a payload in it, escaped or in Base64.
    static let bodyBytes = 128 << 10
    static let binary = "application/octet-stream"
    private static let types = ["symmetric", "passphrase", "private", "public", "certificate", "opaque"]
    private static let contentTypes = ["text/plain", binary, "application/pkcs8"]

    var name: String?
    var type = "opaque"
    var algorithm: String?
    var mode: String?
    var bitLength: Int?
    var expires: Timestamp?
    var payload: (type: String, bytes: [UInt8])?

    init(_ body: JSONValue, now: Timestamp) throws(KeyManagerFault) {
        let fields = KeyManagerFields(body, of: "Secret")
        try fields.requireObject()
        name = try fields.text("name").map { $0.trimmingWhitespace }
        algorithm = try fields.text("algorithm")
        mode = try fields.text("mode")
        if let text = try fields.text("secret_type") {
            guard Self.types.contains(text) else { throw fields.fault("secret_type", "must be one of \(Self.types)") }
            type = text
        }
        if let value = body["bit_length"], !value.isNull {
            guard let number = value.intValue, 1...32_767 ~= number else {
                throw fields.fault("bit_length", "must be a number from 1 to 32767")
            }
            bitLength = number
        }
        if let text = try fields.text("expiration")?.trimmingWhitespace, !text.isEmpty {
            guard let time = ISOTime.parse(text) else { throw fields.fault("expiration", "is no date") }
            guard time > now else { throw fields.fault("expiration", "is before current time") }
            expires = time
        }
        payload = try Self.payload(body, fields)
    }

    private static func payload(
        _ body: JSONValue, _ fields: KeyManagerFields
    ) throws(KeyManagerFault) -> (type: String, bytes: [UInt8])? {
        let type = try fields.text("payload_content_type")
        let encoding = try fields.text("payload_content_encoding")
        guard let value = body["payload"], !value.isNull else {
            guard type == nil else { throw fields.fault("payload", "must be provided with 'payload_content_type'") }
            return nil
        }
        guard let text = value.stringValue else { throw fields.fault("payload", "must be a string") }
        guard let type else {
            throw fields.fault("payload_content_type", "must be supplied where 'payload' is")
        }
        let known = try contentType(type)
        guard known == "text/plain" ? encoding == nil : encoding == "base64" else {
            throw fields.fault(
                "payload_content_encoding",
                known == "text/plain" ? "must be absent for \(known)" : "must be base64 for \(known) in JSON")
        }
        return (known, try self.payload(Array(text.utf8), type: known, encoding: encoding))
    }

    /// The type without its character set.
    static func contentType(_ text: String?) throws(KeyManagerFault) -> String {
        let parts = (text ?? "").lowercased().split(separator: ";").map { String($0).trimmingWhitespace }
        guard let type = parts.first, contentTypes.contains(type),
            parts.dropFirst().allSatisfy({ $0 == "charset=utf-8" })
        else {
            throw KeyManagerFault(
                text == nil ? 415 : 400, "The payload's content type must be one of \(contentTypes), in UTF-8.")
        }
        return type
    }

    /// A payload's bytes, checked.
    ///
    /// - Parameter encoding: `base64`, or nil for the bytes themselves.
    static func payload(_ bytes: [UInt8], type: String, encoding: String?) throws(KeyManagerFault) -> [UInt8] {
        var bytes = bytes
        switch encoding?.lowercased() {
        case nil, "binary": break
        case "base64" where type != "text/plain":
            // Line breaks are how clients wrap it.
            let text = String(decoding: bytes.filter { ![0x0A, 0x0D, 0x20].contains($0) }, as: UTF8.self)
            guard let decoded = Base64.decode(text) else {
                throw KeyManagerFault(400, "The payload is not Base64, as 'base64' says that it is.")
            }
            bytes = decoded
        default: throw KeyManagerFault(400, "A payload of \(type) cannot have that encoding.")
        }
        guard bytes.contains(where: { $0 > 0x20 }) || (type != "text/plain" && !bytes.isEmpty) else {
            throw KeyManagerFault(400, "If 'payload' is specified, it must be non empty.")
        }
        guard bytes.count <= payloadBytes else {
            throw KeyManagerFault(413, "A payload may have \(payloadBytes) bytes; this one has \(bytes.count).")
        }
        if type == "text/plain", String(validating: bytes, as: UTF8.self) == nil {
            throw KeyManagerFault(400, "A payload of text/plain must be UTF-8; send other bytes as \(binary).")
        }
        return bytes
    }
}
