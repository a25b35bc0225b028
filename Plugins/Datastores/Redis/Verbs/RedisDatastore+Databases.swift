// SPDX-License-Identifier: Apache-2.0

import RedisClient
import TrovePluginKit

extension RedisDatastore: DatabaseListing {
    /// Numbered databases, in the order of their numbers: they are there from the start, and none is made or deleted.
    func listDatabases(_ page: PageRequest, call: Call) throws -> Page<DatabaseDocument> {
        let reply = try administer(call) { try $0.run(["CONFIG", "GET", "databases"], "list databases") }
        let count = reply.value("databases")?.textValue.flatMap { Int($0) } ?? 0
        var first = 0
        if let marker = page.marker {
            // What is no number is no database, and nothing comes after it.
            guard let number = Int(marker), number >= 0, String(number) == marker else {
                return Page(items: [], next: nil)
            }
            first = page.includesMarker ? number : number + 1
        }
        guard first < count else { return Page(items: [], next: nil) }
        let end = page.limit.map { min(first + min($0, count), count) } ?? count
        let items = (first..<end).map { DatabaseDocument(name: String($0)) }
        return Page(items: items, next: end < count ? String(end - 1) : nil)
    }
}
