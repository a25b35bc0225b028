// SPDX-License-Identifier: Apache-2.0

package import Model

extension ServiceClient {
    /// Every item of a collection, page by page.
    ///
    /// - Parameters:
    ///   - path: Of the collection, with a query or without.
    ///   - key: The member that holds the items.
    ///   - limit: No more than these are asked for.
    package func items(_ path: String, _ key: String, limit: Int? = nil) throws -> [JSONValue] {
        let base = path.split(separator: "?", maxSplits: 1)[0]
        var (next, items) = (path, [JSONValue]())
        if let limit { next += (path.contains("?") ? "&" : "?") + "limit=\(limit)" }
        while true {
            let page = try send("GET", next).body
            items += page?[key]?.arrayValue ?? []
            if let limit, items.count >= limit { return Array(items.prefix(limit)) }
            // The link's query goes back as it came: the marker in it is encoded for just that.
            let link = page?["links"]?.arrayValue?.first { $0["rel"] == "next" }?["href"]?.stringValue
            guard let query = link?.split(separator: "?", maxSplits: 1).dropFirst().first else { return items }
            let following = "\(base)?\(query)"
            guard following != next else { return items }
            next = following
        }
    }

    /// The id of what is named by id or name.
    ///
    /// Ids that are UUIDs are taken as they are; anything else is looked up in the whole list.
    ///
    /// - Throws: `.refused` when there is none, `.usage` with the ids when several have the name.
    package func id(_ resource: Resource, _ text: String) throws -> String {
        if resource.idsAreUUIDs, PathText.isUUID(text) { return text }
        let items = try self.items(resource.path, resource.plural)
        func id(_ item: JSONValue) -> String? { CellText.member(item, "id|str_id").map(CellText.text) }
        if let item = items.first(where: { id($0) == text || $0["str_id"]?.stringValue == text }) {
            return id(item) ?? text
        }
        let found = items.filter { $0["name"]?.stringValue == text }.compactMap(id)
        guard found.count <= 1 else {
            throw ClientError(
                .usage,
                "\(found.count) \(resource.nouns) are called '\(text)'; give an id: "
                    + found.joined(separator: ", "))
        }
        guard let id = found.first else { throw ClientError(.refused, "there is no \(resource.noun) '\(text)'") }
        return id
    }

    /// The object of an id.
    package func object(_ resource: Resource, id: String) throws -> JSONValue {
        let body = try send("GET", resource.path + "/" + PathText.escaped(id)).body
        return body?[resource.single] ?? body ?? [:]
    }
}
