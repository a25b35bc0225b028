// SPDX-License-Identifier: Apache-2.0

/// The ids of secrets and containers, and the references that carry them.
package enum KeyReference {
    package enum Kind: String, Sendable { case secrets, containers }

    /// Whether `text` is a UUID, as every id is: 36 characters.
    package static func isID(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            if [8, 13, 18, 23].contains(index) { return byte == UInt8(ascii: "-") }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                return true
            default: return false
            }
        }
    }

    /// The id at the end of `…/v1/{kind}/{id}`, in lower case; nil for another text. A slash may follow.
    package static func id(in reference: String, _ kind: Kind) -> String? {
        var text = reference[...]
        if text.hasSuffix("/") { text = text.dropLast() }
        let id = text.suffix(36)
        guard isID(id), text.dropLast(36).hasSuffix("/v1/\(kind.rawValue)/") else { return nil }
        return id.lowercased()
    }
}
