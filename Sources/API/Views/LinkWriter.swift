// SPDX-License-Identifier: Apache-2.0

import Model

/// Writes the `links` of objects and pages.
///
/// Source: REST contract §1.9: `self` and `bookmark` are https, with the request's host, unless an endpoint is
/// configured; §1.7: pages keep the scheme and host that the client really uses.
struct LinkWriter: Sendable {
    private let resource: String
    private let bookmark: String

    init(call: APICall) {
        bookmark = (call.configuration.publicEndpoint ?? "https://" + call.request.host) + "/"
        resource = bookmark + "v1.0/" + call.context.projectID + "/"
    }

    /// `"links": [self, bookmark]` of `<collection>/<id>`.
    func write(_ writer: inout JSONWriter, _ collection: String, _ id: String) {
        writer.key("links")
        writer.array { writer in
            writer.object { writer in
                writer.member("rel", "self")
                writer.key("href")
                writer.string(joining: resource, collection, "/", id)
            }
            writer.object { writer in
                writer.member("rel", "bookmark")
                writer.key("href")
                writer.string(joining: bookmark, collection, "/", id)
            }
        }
    }
}

extension APICall {
    /// `"links": [next]` of a page: every parameter as it was sent, with the next marker.
    func writeNextLink(_ writer: inout JSONWriter, _ query: Query, marker: String) {
        writer.key("links")
        writer.array { writer in
            writer.object { writer in
                writer.member("rel", "next")
                writer.member("href", baseURL + request.path + "?" + query.replacingMarker(marker))
            }
        }
    }
}
