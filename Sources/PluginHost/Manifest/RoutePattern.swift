// SPDX-License-Identifier: Apache-2.0

/// The path of a plugin's route, checked.
///
/// Shape: `/instances/{id}/WORD/…`, `/clusters/{id}/WORD/…` or `/x/<plugin id>/WORD/…`; a segment is a word or one
/// `{parameter}`; names of parameters are unique.
struct RoutePattern: Sendable, Hashable {
    static let methods: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    let place: PluginRouteWords.Place
    let segments: [String]

    /// - Returns: nil, or why the path is not one.
    static func parse(_ path: String, pluginID: String) -> (pattern: RoutePattern?, problem: String?) {
        guard path.hasPrefix("/") else { return (nil, "does not start with '/'") }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let place = segments.first.flatMap(PluginRouteWords.Place.init(rawValue:))
        guard let place, (3...12).contains(segments.count), segments[1] == (place == .x ? pluginID : "{id}") else {
            return (nil, "is not below /instances/{id}/, /clusters/{id}/ or /x/\(pluginID)/")
        }
        var names: Set<String> = []
        for (index, segment) in segments.enumerated() where place != .x || index != 1 {
            if let name = parameter(segment) {
                guard names.insert(name).inserted else { return (nil, "has the parameter '\(name)' twice") }
            } else if !isWord(segment) {
                return (nil, "has the segment '\(segment)', neither a word nor one {parameter}")
            }
        }
        guard isWord(segments[2]) else { return (nil, "has no word after \(segments[1])") }
        return (RoutePattern(place: place, segments: segments), nil)
    }

    /// The first segment after the prefix.
    var word: String { segments[2] }

    /// Equal for two routes that match the same requests.
    func key(method: String) -> String {
        method + " /" + segments.map { Self.parameter($0) == nil ? $0 : "{}" }.joined(separator: "/")
    }

    /// Lower-case letters, digits, '-', '_'.
    static func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }

    private static func parameter(_ segment: String) -> String? {
        guard segment.hasPrefix("{"), segment.hasSuffix("}"), segment.utf8.count > 2 else { return nil }
        let name = String(segment.dropFirst().dropLast())
        return isWord(name) ? name : nil
    }
}
