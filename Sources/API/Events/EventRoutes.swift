// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/events` and `/instances/{id}/events`: what the journal records, as a stream or in pages. Source: docs/rest-api.md.
enum EventRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/events",
            description(
                "list_events", "Follows, or lists, the steps of the project's operations.", rule: "event:index"), list),
        Route(
            "GET", "/instances/{id}/events",
            description(
                "list_instance_events",
                "Follows, or lists, the steps of one instance's operations; of a deleted one too, as long as events are kept.",
                rule: "instance:events"), listOfInstance),
    ]

    private static func description(_ id: String, _ summary: String, rule: String) -> RouteDescription {
        var about = RouteDescription(
            id, summary, rule: rule,
            query: [
                QueryParameter(
                    "since", "The id of the last event that the client has; 0: from the oldest that is kept.",
                    .integer(minimum: 0)),
                QueryParameter("limit", "At most so many; of pages only.", .integer(minimum: 1)),
                QueryParameter("marker", "As since; of pages only.", .integer(minimum: 0)),
            ],
            answer: .object(
                [
                    "events": .array(of: EventView.schema), "position": .integer(minimum: 0),
                    "links": .array(of: .object([:])),
                ],
                required: ["events", "position"]))
        about.isStream = true
        return about
    }

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("event:index")
        return try await answer(EventFeed.Subject(projectID: call.context.projectID), call)
    }

    @Sendable private static func listOfInstance(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let context = call.context
        let owner = try await call.services.store.read { transaction -> String? in
            if let summary = try transaction.instances.summary(id) {
                return context.isAdmin || summary.instance.projectID == context.projectID
                    ? summary.instance.projectID : nil
            }
            let project = context.isAdmin ? nil : context.projectID
            return try transaction.events.hasEvents(instanceID: id, projectID: project) ? context.projectID : nil
        }
        guard let owner else { throw APIFault.missing(id) }
        try call.require("instance:events", owner: owner)
        return try await answer(
            EventFeed.Subject(projectID: context.isAdmin ? nil : context.projectID, instanceID: id), call)
    }

    private static func answer(_ subject: EventFeed.Subject, _ call: APICall) async throws -> APIResponse {
        let query = Query(call.request.query)
        let since = try position(query, "since")
        guard wantsStream(call.request) else { return try await page(subject, query, since: since, call) }
        let last = try call.request.header("last-event-id").flatMap { try number($0, "The header Last-Event-ID") }
        let feed = call.services.feed
        try feed.open(call.context.projectID)
        do {
            // A client that comes back knows better than the address that it was given first.
            let start: Int
            if let known = last ?? since { start = known } else { start = try await feed.head() }
            let stream = EventStream(feed, subject, owner: call.context.projectID, after: start)
            var response = APIResponse(status: 200)
            response.contentType = "text/event-stream"
            response.headers = [("cache-control", "no-cache"), ("x-accel-buffering", "no")]
            response.stream = { try await stream.next() }
            return response
        } catch {
            feed.close(call.context.projectID)
            throw error
        }
    }

    /// `{"events": […], "position", "links"?}`, oldest first.
    private static func page(
        _ subject: EventFeed.Subject, _ query: Query, since: Int?, _ call: APICall
    ) async throws -> APIResponse {
        let limit = try Page.limit(query, standard: EventFeed.pageSize, maximum: EventFeed.pageSize)
        let start = try position(query, "marker") ?? since ?? 0
        let page = try await call.services.feed.stored(after: start, of: subject, limit: limit)
        return .json(reserving: 256 + page.events.count * 512) { writer in
            writer.object { writer in
                writer.key("events")
                writer.array { writer in
                    for event in page.events { EventView.write(event, &writer) }
                }
                writer.member("position", page.position)
                if page.events.count == limit {
                    call.writeNextLink(&writer, query, marker: String(page.position))
                }
            }
        }
    }

    /// Unless the client asks for a document and not for a stream.
    private static func wantsStream(_ request: APIRequest) -> Bool {
        let accepted = request.headers.filter { $0.name == "accept" }.map { $0.value.lowercased() }
        if accepted.contains(where: { $0.contains("text/event-stream") }) { return true }
        return !accepted.contains { $0.contains("application/") }
    }

    private static func position(_ query: Query, _ name: String) throws(APIFault) -> Int? {
        guard let text = query[name], !text.isEmpty else { return nil }
        return try number(text, "The query parameter '\(name)'")
    }

    private static func number(_ text: String, _ subject: String) throws(APIFault) -> Int? {
        guard !text.isEmpty else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw APIFault(400, "\(subject) must be the id of an event: an integer from 0 on.")
        }
        return number
    }
}
