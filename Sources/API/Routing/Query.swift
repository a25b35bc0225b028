// SPDX-License-Identifier: Apache-2.0

/// The parameters of a query string, in the order they were sent.
struct Query: Sendable {
    private(set) var items: [(name: String, value: String, raw: Substring)] = []

    init(_ text: String?) {
        for raw in (text ?? "").split(separator: "&") {
            let cut = raw.firstIndex(of: "=") ?? raw.endIndex
            let name = raw[..<cut]
            let value = cut == raw.endIndex ? "" : raw[raw.index(after: cut)...]
            items.append(
                (
                    PercentEncoding.decode(name, plusIsSpace: true) ?? String(name),
                    PercentEncoding.decode(value, plusIsSpace: true) ?? String(value), raw
                )
            )
        }
    }

    /// The value of the last parameter called `name`.
    subscript(_ name: String) -> String? { items.last { $0.name == name }?.value }

    /// Whether `name` is one of the words for true, any case.
    func isTrue(_ name: String) -> Bool {
        guard let value = self[name] else { return false }
        return ["1", "t", "true", "on", "y", "yes"].contains(value.lowercased())
    }

    /// The truth value of `name`, any case; nil without one.
    ///
    /// - Throws: 400 for a word that is neither.
    func flag(_ name: String) throws(APIFault) -> Bool? {
        guard let value = self[name], !value.isEmpty else { return nil }
        if isTrue(name) { return true }
        guard ["0", "f", "false", "off", "n", "no"].contains(value.lowercased()) else {
            throw APIFault(400, "The query parameter '\(name)' must be true or false.")
        }
        return false
    }

    /// All parameters as they were sent, with `marker` set to `value`.
    func replacingMarker(_ value: String) -> String {
        let marker = "marker=" + PercentEncoding.encode(value)
        var parts = items.map { $0.name == "marker" ? marker : String($0.raw) }
        if !items.contains(where: { $0.name == "marker" }) { parts.append(marker) }
        return parts.joined(separator: "&")
    }
}
