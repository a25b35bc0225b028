// SPDX-License-Identifier: Apache-2.0

import Model

/// Writes the `links` of objects and pages.
///
/// All links of an answer are alike but for collection and id, so what is alike is written once and copied.
///
/// Source: REST contract §1.9: `self` and `bookmark` are https, with the request's host, unless an endpoint is
/// configured; §1.7: pages keep the scheme and host that the client really uses.
struct LinkWriter: Sendable {
    private let first: [UInt8]
    private let second: [UInt8]

    init(call: APICall) {
        let bookmark = (call.configuration.publicEndpoint ?? "https://" + call.request.host) + "/"
        first = Self.opened(
            "\"links\":[{\"rel\":\"self\",\"href\":\"", bookmark + "v1.0/" + call.context.projectID + "/")
        second = Self.opened("\"},{\"rel\":\"bookmark\",\"href\":\"", bookmark)
    }

    fileprivate static let last = Array("\"}]".utf8)

    /// A fragment that ends inside a string that begins with `text`.
    private static func opened(_ fragment: String, _ text: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(text)
        return Array(fragment.utf8) + writer.bytes.dropFirst().dropLast()
    }

    /// `"links": [self, bookmark]` of `<collection>/<id>`.
    func write(_ writer: inout JSONWriter, _ collection: String, _ id: String) {
        of(collection).write(&writer, id)
    }

    /// What writes the links of one collection's objects.
    func of(_ collection: String) -> CollectionLinks {
        let path = Array(collection.utf8) + [UInt8(ascii: "/")]
        return CollectionLinks(first: first + path, second: second + path)
    }

    /// `"links": [self, bookmark]` but for the id. The collection's name holds nothing to escape.
    struct CollectionLinks: Sendable {
        fileprivate let first: [UInt8]
        fileprivate let second: [UInt8]

        func write(_ writer: inout JSONWriter, _ id: String) {
            writer.fragment(first, begins: true)
            writer.continued(id)
            writer.fragment(second)
            writer.continued(id)
            writer.fragment(LinkWriter.last)
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
