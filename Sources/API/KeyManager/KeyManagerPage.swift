// SPDX-License-Identifier: Apache-2.0

import Model

/// Which part of a list is asked for, and the links to those beside it. Numbers that are none count as absent, as with Barbican.
struct KeyManagerPage: Sendable {
    private static let usual = 10
    private static let largest = 100

    let offset: Int
    let limit: Int
    /// nil: any.
    let name: String?
    private let query: Query

    /// - Parameter refused: Filters that the clients know and this service does not.
    init(_ text: String?, refusing refused: [String]) throws(KeyManagerFault) {
        query = Query(text)
        for name in refused where query[name]?.isEmpty == false {
            throw KeyManagerFault(400, "The filter '\(name)' is not served here.")
        }
        offset = min(max(0, query["offset"].flatMap { Int($0) } ?? 0), 1_000_000_000)
        limit = min(max(1, query["limit"].flatMap { Int($0) } ?? Self.usual), Self.largest)
        name = query["name"].flatMap { $0.isEmpty ? nil : $0 }
    }

    subscript(_ name: String) -> String? { query[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// - Parameter address: Of the list, without a query.
    func response(_ key: String, _ items: [JSONValue], total: Int, address: String) -> APIResponse {
        var document: [String: JSONValue] = [key: .array(items), "total": .int(Int64(total))]
        if offset > 0, !items.isEmpty { document["previous"] = .string(link(address, max(0, offset - limit))) }
        if total > offset + limit, !items.isEmpty { document["next"] = .string(link(address, offset + limit)) }
        return APIResponse(status: 200, body: JSONValue.object(document).serialized)
    }

    private func link(_ address: String, _ offset: Int) -> String {
        let others = query.items.filter { $0.name != "limit" && $0.name != "offset" }.map { "&" + $0.raw }
        return "\(address)?limit=\(limit)&offset=\(offset)" + others.joined()
    }
}
