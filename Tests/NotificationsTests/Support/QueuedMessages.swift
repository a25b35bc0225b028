// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What waits in a queue, in the queue's order: a listener's threads tell what they heard in any order.
enum QueuedMessages {
    /// The notifications in `queue`, which stay there.
    static func peek(_ nodes: Nodes, queue: String) async throws -> [JSONValue] {
        let url = try nodes.text("rabbitmq", "management_url") + "/api/queues/trove/\(queue)/get"
        guard let address = URL(string: url) else { throw URLError(.badURL) }
        var request = URLRequest(url: address)
        request.httpMethod = "POST"
        let credentials = Data("admin:\(try nodes.password("rabbitmq", "admin"))".utf8).base64EncodedString()
        request.setValue("Basic \(credentials)", forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data(#"{"count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto"}"#.utf8)
        let (data, _) = try await URLSession.shared.data(for: request)
        return try JSONValue(parsing: Array(data)).arrayValue?.map { message in
            let envelope = try JSONValue(parsing: message["payload"]?.stringValue ?? "")
            return try JSONValue(parsing: envelope["oslo.message"]?.stringValue ?? "")
        } ?? []
    }
}
