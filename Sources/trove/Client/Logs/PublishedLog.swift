// SPDX-License-Identifier: Apache-2.0

import Client
import Model

/// What of a log lies in the object store: parts, of which each holds what was new.
struct PublishedLog {
    private let client: ServiceClient
    private let container: String
    /// Names of the parts, the oldest first.
    private let parts: [String]

    /// - Parameter isPublished: Publishes what is new before.
    /// - Throws: `ClientError` `.refused` for a log of which nothing is published.
    init(_ client: ServiceClient, instance: String, log: String, publish isPublished: Bool) throws {
        self.client = client
        let id = try client.id(.instance, instance)
        var body: [String: JSONValue] = ["name": .string(log)]
        if isPublished { body["publish"] = 1 }
        let state = try client.send("POST", "/instances/\(id)/log", .object(body), limit: .seconds(240)).body?["log"]
        guard let container = state?["container"]?.stringValue, let prefix = state?["prefix"]?.stringValue,
            state?["published"]?.intValue ?? 0 > 0
        else {
            throw ClientError(
                .refused,
                "nothing of log '\(log)' is published; --publish does it first, 'trove log enable' turns it on")
        }
        self.container = container
        parts = try Self.names(client, container, prefix)
    }

    /// Calls `body` with the bytes of each part, the newest first if `isReversed`, until it returns false.
    func read(isReversed: Bool = false, _ body: ([UInt8]) throws -> Bool) throws {
        for part in isReversed ? parts.reversed() : parts {
            guard try body(try client.stored("/" + PathText.escaped(container) + "/" + Self.path(part))) else { return }
        }
    }

    /// The store lists names in their order, so many at a time.
    private static func names(_ client: ServiceClient, _ container: String, _ prefix: String) throws -> [String] {
        var names: [String] = []
        while true {
            let query = PathText.query(["prefix": prefix, "marker": names.last, "format": "json"])
            let bytes = try client.stored("/" + PathText.escaped(container) + query)
            guard let objects = try? JSONValue(parsing: bytes).arrayValue else {
                throw ClientError(.protocolError, "the object store's list of '\(container)' is not JSON")
            }
            guard !objects.isEmpty else { return names }
            names += objects.compactMap { $0["name"]?.stringValue }
        }
    }

    private static func path(_ name: String) -> String {
        name.split(separator: "/", omittingEmptySubsequences: false).map { PathText.escaped(String($0)) }
            .joined(separator: "/")
    }
}
