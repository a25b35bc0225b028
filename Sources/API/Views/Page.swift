// SPDX-License-Identifier: Apache-2.0

/// What `limit` and `marker` ask for. Source: REST contract §1.7.
enum Page {
    /// - Parameters:
    ///   - standard: Without a `limit`.
    ///   - maximum: Larger limits are clipped.
    /// - Throws: 400 for a limit that is not a positive integer.
    static func limit(_ query: Query, standard: Int, maximum: Int) throws(APIFault) -> Int {
        guard let text = query["limit"], !text.isEmpty else { return min(standard, maximum) }
        guard let limit = Int(text), limit > 0 else {
            throw APIFault(400, "The query parameter 'limit' must be a positive integer.")
        }
        return min(limit, maximum)
    }

    /// The id after which a page begins.
    static func marker(_ query: Query) -> String? {
        guard let marker = query["marker"], !marker.isEmpty else { return nil }
        return marker
    }

    /// The number of rows before a page. Throws 400 for anything but an integer from 0 on.
    static func offset(_ query: Query) throws(APIFault) -> Int {
        guard let text = query["marker"], !text.isEmpty else { return 0 }
        guard let offset = Int(text), offset >= 0 else {
            throw APIFault(400, "The query parameter 'marker' must be an integer from 0 on.")
        }
        return offset
    }
}
