// SPDX-License-Identifier: Apache-2.0

/// The path part of a `file:` URL. Source: RFC 8089 §2, RFC 3986 §2.3.
enum FileURL {
    /// `path` with everything but unreserved characters and `/` written as `%XX`.
    static func encoded(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                text.unicodeScalars.append(scalar)
            } else if "/-._~".unicodeScalars.contains(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += "%" + [byte].hexUpper
            }
        }
        return text
    }
}

extension Sequence<UInt8> {
    /// Upper-case hexadecimal digits, two a byte.
    fileprivate var hexUpper: String {
        let digits = Array("0123456789ABCDEF")
        return reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }
}
