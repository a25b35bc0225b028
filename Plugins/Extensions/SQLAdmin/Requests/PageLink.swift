// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Pages of a collection: what a request asks for and the link to the next one.
///
/// Shape: 20 items without `limit` and at most. A marker is percent-encoded, and encoded again as every value of a query
/// is, so that clients that decode a link once and send its marker as it is are understood too. Source: REST contract §1.7.
struct PageLink {
    static let maximum = 20

    let limit: Int
    let marker: String?
    private let request: APIRequest

    init(_ request: APIRequest) throws {
        self.request = request
        if let text = request.query["limit"] {
            guard let limit = Int(text), limit > 0 else {
                throw Faults.badRequest("The query parameter 'limit' must be an integer of 1 or more.")
            }
            self.limit = min(limit, Self.maximum)
        } else {
            limit = Self.maximum
        }
        marker = request.query["marker"].map(Self.decoded)
    }

    /// Arguments of the guest's list verbs.
    var arguments: [String: JSON] {
        ["limit": .int(Int64(limit)), "marker": .optional(marker), "include_marker": false]
    }

    /// The body of a page, with links if there is a next one.
    func body(_ collection: String, _ items: [JSON], next: String?) -> JSON {
        var members: [String: JSON] = [collection: .array(items)]
        if let next {
            let links: JSON = [["rel": "next", "href": .string(link(next))]]
            members["links"] = links
            // The name that another of the public clients looks for.
            members["\(collection)_links"] = links
        }
        return .object(members)
    }

    private func link(_ marker: String) -> String {
        var parts = request.query.filter { $0.key != "marker" }.sorted { $0.key < $1.key }.map { name, value in
            "\(Self.encoded(name))=\(Self.encoded(value))"
        }
        parts.append("marker=\(Self.encoded(Self.encoded(marker)))")
        return request.baseURL + request.path + "?" + parts.joined(separator: "&")
    }

    /// Percent-encodes all but letters, digits, `-`, `.`, `_` and `~`.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
            }
        }
        return result
    }

    /// Undoes `encoded`; a `%` that no two digits follow stands for itself, so a plain `name@%` stays as it is.
    static func decoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = hex(bytes[index + 1]),
                let low = hex(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(validating: result, as: UTF8.self) ?? text
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
