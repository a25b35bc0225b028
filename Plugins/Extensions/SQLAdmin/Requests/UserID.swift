// SPDX-License-Identifier: Apache-2.0

/// A user as requests name it.
struct UserID: Hashable {
    var name: String
    var host: String

    /// A name and a host; `%` without one.
    init(name: String, host: String?) {
        self.name = name
        self.host = host ?? "%"
    }

    /// Reads `name` or `name@host`: the last `@` splits; one at the end, or at the start, belongs to the name.
    init(path: String) {
        guard let at = path.lastIndex(of: "@"), at != path.startIndex, path.index(after: at) != path.endIndex else {
            self.init(name: path, host: nil)
            return
        }
        self.init(name: String(path[..<at]), host: String(path[path.index(after: at)...]))
    }

    /// `name@host`.
    var text: String { "\(name)@\(host)" }
}
