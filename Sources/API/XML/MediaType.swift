// SPDX-License-Identifier: Apache-2.0

/// The two forms that documents have on the wire.
///
/// Source: XML representation §1. A path's suffix wins, then the best match of `Accept`; JSON where both are as good.
enum MediaType: Sendable, Hashable {
    case json
    case xml

    /// The form that the answer to `request` has.
    init(answering request: APIRequest) {
        if request.path.hasSuffix(Self.xmlSuffix) {
            self = .xml
        } else if request.path.hasSuffix(Self.jsonSuffix) {
            self = .json
        } else {
            self = Self.preferred(request)
        }
    }

    /// The form that a `Content-Type` names; nil for any other type. Parameters mean nothing.
    init?(contentType: String) {
        switch Self.essence(contentType.utf8[...]) {
        case "application/json": self = .json
        case "application/xml": self = .xml
        default: return nil
        }
    }

    /// As sent in `Content-Type`.
    var contentType: String {
        switch self {
        case .json: "application/json"
        case .xml: "application/xml"
        }
    }

    static let xmlSuffix = ".xml"
    static let jsonSuffix = ".json"

    // MARK: - Accept

    /// How much a client wants a form.
    private struct Wish: Comparable {
        /// 0…1
        var quality = 0.0
        /// 0: by `*/*`, 1: by `application/*`, 2: by its name.
        var precision = -1

        /// The range that names a form most precisely says how much it is wanted. Source: RFC 9110 §12.5.1.
        mutating func hear(_ quality: Double, _ precision: Int) {
            guard precision > self.precision || precision == self.precision && quality > self.quality else { return }
            self = Wish(quality: quality, precision: precision)
        }

        static func < (left: Wish, right: Wish) -> Bool {
            (left.quality, left.precision) < (right.quality, right.precision)
        }
    }

    private static func preferred(_ request: APIRequest) -> MediaType {
        var json = Wish()
        var xml = Wish()
        for (name, value) in request.headers where name == "accept" {
            // What most clients send.
            if value == "application/json" || value == "*/*" {
                json.hear(1, value == "*/*" ? 0 : 2)
                continue
            }
            for range in value.utf8.split(separator: UInt8(ascii: ",")) {
                let quality = quality(range)
                switch essence(range) {
                case "application/json", "application/vnd.openstack.trove+json": json.hear(quality, 2)
                case "application/xml", "application/vnd.openstack.trove+xml": xml.hear(quality, 2)
                case "application/*":
                    json.hear(quality, 1)
                    xml.hear(quality, 1)
                case "*/*":
                    json.hear(quality, 0)
                    xml.hear(quality, 0)
                default: continue
                }
            }
        }
        return json < xml && xml.quality > 0 ? .xml : .json
    }

    /// Type and subtype in lower case, without parameters.
    private static func essence(_ text: Substring.UTF8View) -> String {
        let type = text.prefix { $0 != UInt8(ascii: ";") }
        return trimmed(Substring(type)).lowercased()
    }

    /// The parameter `q`; 1 without one, 0 for what is none.
    private static func quality(_ range: Substring.UTF8View) -> Double {
        for parameter in range.split(separator: UInt8(ascii: ";")).dropFirst() {
            let text = trimmed(Substring(parameter))
            guard text.hasPrefix("q=") || text.hasPrefix("Q=") else { continue }
            guard let value = Double(text.dropFirst(2)), value >= 0 else { return 0 }
            return min(value, 1)
        }
        return 1
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let start = text.drop(while: isSpace)
        return start.lastIndex { !isSpace($0) }.map { start[...$0] } ?? ""
    }
}
