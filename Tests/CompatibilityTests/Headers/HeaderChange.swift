// SPDX-License-Identifier: Apache-2.0

/// What a header did to a released one.
enum HeaderChange {
    /// Enumerations whose values travel from plugin to host, by their first member: the host knows what to do with a
    /// number that it has not seen, so members may be appended.
    private static let open = ["TROVE_OK", "TROVE_SERVICE_UNKNOWN"]

    /// What a vendor of this project does instead of changing a released header.
    private static let way =
        "A released declaration never changes: keep it, put the new layout beside it as a new tag (trove_x_2) under a new "
        + "id (\"trove.x/2\"), and raise TROVE_ABI_MINOR. Comments may change. See docs/compatibility.md."

    /// The first difference between a released header and the one that has the same version; nil without one.
    static func difference(released: HeaderText, current: HeaderText, file: String, version: String) -> String? {
        let (old, new) = (released.declarations, current.declarations)
        guard let index = (0..<max(old.count, new.count)).first(where: { at(old, $0) != at(new, $0) }) else {
            return nil
        }
        return "\(file) is not the one of ABI \(version): '\(at(old, index) ?? "nothing")' became "
            + "'\(at(new, index) ?? "nothing")'. \(way)"
    }

    /// The first declaration of a released header that a newer one of the same major version does not keep; nil without one.
    static func loss(released: HeaderText, current: HeaderText, file: String, version: String) -> String? {
        var rest = current.declarations[...]
        for declaration in released.declarations where !declaration.hasPrefix("# define TROVE_ABI_MINOR ") {
            guard let index = rest.firstIndex(where: { keeps($0, declaration) }) else {
                return "\(file) does not keep '\(declaration)' of ABI \(version). \(way)"
            }
            rest = rest[(index + 1)...]
        }
        return nil
    }

    private static func keeps(_ current: String, _ released: String) -> Bool {
        guard current != released else { return true }
        guard released.hasPrefix("enum {"), released.hasSuffix("} ;"),
            open.contains(where: { released.hasPrefix("enum { \($0) =") })
        else { return false }
        return current.hasPrefix(released.dropLast(" } ;".count) + " ,")
    }

    private static func at(_ items: [String], _ index: Int) -> String? {
        items.indices.contains(index) ? items[index] : nil
    }
}
