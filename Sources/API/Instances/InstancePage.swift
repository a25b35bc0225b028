// SPDX-License-Identifier: Apache-2.0

import Model

/// What a request for a page of the caller's instances asks for, and how the answer is laid out.
///
/// Pages go by ascending id; inside a page the newest comes first.
struct InstancePage: Sendable {
    let projectID: String
    let marker: String?
    /// Rows on the page. One more is read: it tells whether there is a next page.
    let limit: Int
    /// Whether members of clusters are on it; only the word "true" asks for them.
    let withMembers: Bool
    private let query: Query

    /// - Throws: 400 for a limit that is not a positive integer.
    init(_ call: APICall) throws(APIFault) {
        query = Query(call.request.query)
        let size = call.configuration.pageSize
        limit = try Page.limit(query, standard: size, maximum: size)
        marker = Page.marker(query)
        projectID = call.context.projectID
        withMembers = query["include_clustered"]?.lowercased() == "true"
    }

    /// `{"instances": […], "links"?}`
    ///
    /// - Parameter rows: Up to `limit + 1`, ids ascending.
    func document<Row>(
        _ rows: [Row], id: (Row) -> String, created: (Row) -> Timestamp, _ call: APICall,
        _ write: (Row, inout JSONWriter) -> Void
    ) -> APIResponse {
        let count = min(rows.count, limit)
        let next = rows.count > limit && limit > 0 ? id(rows[limit - 1]) : nil
        // Rows are large: their places are sorted, not they.
        let order = (0..<count).map { (place: $0, created: created(rows[$0])) }
            .sorted { ($1.created, $0.place) < ($0.created, $1.place) }
        return .json(reserving: 1024 + count * 1024) { writer in
            writer.object { writer in
                writer.key("instances")
                writer.array { writer in
                    for (place, _) in order { write(rows[place], &writer) }
                }
                if let next { call.writeNextLink(&writer, query, marker: next) }
            }
        }
    }
}
