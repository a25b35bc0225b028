// SPDX-License-Identifier: Apache-2.0

/// What a route takes and answers, as the API's document tells it.
struct RouteDescription: Sendable {
    /// Unique, in snake case, verb first: `list_instances`.
    var id: String
    /// One sentence.
    var summary: String
    /// The policy rule that it asks first; nil when it asks none.
    var rule: String?
    var query: [QueryParameter] = []
    /// nil: the body is not read.
    var body: Schema?
    var isBodyOptional = false
    /// Of success.
    var status = 200
    /// What is answered with `status`; nil: nothing.
    var answer: Schema?
    /// Statuses beside those that every route may answer.
    var faults: [Int] = []
    /// Whether success can also be a `text/event-stream`.
    var isStream = false

    init(
        _ id: String, _ summary: String, rule: String? = nil, query: [QueryParameter] = [], body: Schema? = nil,
        isBodyOptional: Bool = false, status: Int = 200, answer: Schema? = nil, faults: [Int] = []
    ) {
        self.id = id
        self.summary = summary
        self.rule = rule
        self.query = query
        self.body = body
        self.isBodyOptional = isBodyOptional
        self.status = status
        self.answer = answer
        self.faults = faults
    }
}

/// One parameter behind the question mark.
struct QueryParameter: Sendable {
    var name: String
    var summary: String
    var schema: Schema

    init(_ name: String, _ summary: String, _ schema: Schema = .string()) {
        self.name = name
        self.summary = summary
        self.schema = schema
    }

    /// Of pages that go on after an id.
    static let pages = [
        QueryParameter("limit", "At most so many; larger values are clipped.", .integer(minimum: 1)),
        QueryParameter("marker", "The id after which the page begins."),
    ]

    /// Of administrators' questions about what is no more.
    static let deleted = QueryParameter(
        "deleted", "true: deleted ones; false: live ones; absent: as the route says.", .boolean)

    static let includeClustered = QueryParameter("include_clustered", "Members of clusters too.", .boolean)

    /// Of pages that go on at a number.
    static let offsets = [
        QueryParameter("limit", "At most so many.", .integer(minimum: 1)),
        QueryParameter("marker", "How many come before the page.", .integer(minimum: 0)),
    ]
}

/// One of the API's own routes: what it does and what is told of it.
struct CoreRoute: Sendable {
    let about: RouteDescription
    let handle: RouteHandler
}

extension Route<CoreRoute> {
    /// - Parameter method: nil: every verb.
    init(_ method: String?, _ path: String, _ about: RouteDescription, _ handle: @escaping RouteHandler) {
        self.init(pattern: RoutePattern(method, path), target: CoreRoute(about: about, handle: handle))
    }
}
