// SPDX-License-Identifier: Apache-2.0

/// Names as parts of a path.
package enum PathText {
    /// Percent-encodes what is not unreserved. Source: RFC 3986 §2.3.
    package static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || (48...57).contains(byte) || "-._~".utf8.contains(byte)
            {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }

    /// A user or a database of an instance: dots too, or the service takes what follows them for a format.
    ///
    /// - Parameter host: Follows the name after an `@`.
    package static func member(_ name: String, host: String? = nil) -> String {
        escaped(host.map { name + "@" + $0 } ?? name).split(separator: ".", omittingEmptySubsequences: false)
            .joined(separator: "%2e")
    }

    /// `?name=value&…` of the values that there are; empty without one.
    package static func query(_ members: KeyValuePairs<String, String?>) -> String {
        let parts = members.compactMap { name, value in value.map { name + "=" + escaped($0) } }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    package static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.joined().allSatisfy(\.isHexDigit)
    }
}
