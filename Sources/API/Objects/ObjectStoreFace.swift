// SPDX-License-Identifier: Apache-2.0

import Identity
import Model

/// `/object-store/v1/AUTH_{project}[/{container}[/{object}]]`: what clients of an object store need to read published logs.
///
/// GET and HEAD of an account, of a container (`prefix`, `marker`, `limit`, `format=json`) and of an object. Objects are written by
/// guests and removed through the database service, so there are no other verbs. Source: Object Storage API v1.
struct ObjectStoreFace: Sendable {
    static let prefix = "/object-store/"
    /// The containers that there can be.
    static let containers = ["database_logs"]
    private static let largestPage = 10_000

    let services: APIServices

    /// Answers a request that has a token.
    func respond(to request: APIRequest, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        guard request.method == "GET" || request.method == "HEAD" else {
            return Self.plain(405, "Published objects can be read here. To remove a log's, discard it.")
        }
        let parts = request.path.dropFirst(Self.prefix.count).split(
            separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let names = parts.map { PercentEncoding.decode($0) ?? "" }
        guard names.count > 1, names[0] == "v1", names[1].hasPrefix("AUTH_") else { return Self.missing }
        let project = String(names[1].dropFirst("AUTH_".count))
        guard !project.isEmpty, project == caller.projectID || caller.isAdmin else {
            return Self.plain(403, "The token is of another project.")
        }
        let query = Query(request.query)
        let container = names.count > 2 ? names[2] : ""
        if container.isEmpty { return try await account(project, query) }
        guard Self.containers.contains(container) else { return Self.missing }
        let name = names.count > 3 ? names[3] : ""
        return name.isEmpty
            ? try await list(container, project, query) : try await object(container, project, name)
    }

    private func account(_ project: String, _ query: Query) async throws -> APIResponse {
        var rows: [JSONValue] = []
        var bytes = 0
        for name in Self.containers {
            let objects = try await services.objects.list(name, project: project, prefix: "")
            guard !objects.isEmpty else { continue }
            let sum = objects.reduce(0) { $0 + $1.bytes }
            bytes += sum
            rows.append(["name": .string(name), "count": .int(Int64(objects.count)), "bytes": .int(Int64(sum))])
        }
        var response = Self.listing(rows, query)
        response.headers += [
            ("x-account-container-count", String(rows.count)), ("x-account-bytes-used", String(bytes)),
        ]
        return response
    }

    private func list(_ container: String, _ project: String, _ query: Query) async throws -> APIResponse {
        let limit = query["limit"].map { Int($0) ?? 0 } ?? Self.largestPage
        guard 1...Self.largestPage ~= limit else {
            return Self.plain(412, "'limit' must be a number from 1 to \(Self.largestPage).")
        }
        let all = try await services.objects.list(container, project: project, prefix: "")
        // A container is made when its first object is.
        guard !all.isEmpty else { return Self.missing }
        let (prefix, marker, end) = (query["prefix"] ?? "", query["marker"] ?? "", query["end_marker"] ?? "")
        let found = all.filter { object in
            object.name.hasPrefix(prefix) && (marker.isEmpty || Self.precedes(marker, object.name))
                && (end.isEmpty || Self.precedes(object.name, end))
        }
        let rows = found.prefix(limit).map { object -> JSONValue in
            [
                "name": .string(object.name), "bytes": .int(Int64(object.bytes)),
                "content_type": .string(Self.contentType), "last_modified": .string(Self.precise(object.modified)),
            ]
        }
        var response = Self.listing(rows, query)
        response.headers += [
            ("x-container-object-count", String(all.count)),
            ("x-container-bytes-used", String(all.reduce(0) { $0 + $1.bytes })),
        ]
        return response
    }

    private func object(_ container: String, _ project: String, _ name: String) async throws -> APIResponse {
        guard let (bytes, modified) = try await services.objects.read(container, project: project, name: name) else {
            return Self.missing
        }
        var response = APIResponse(status: 200, body: bytes)
        response.contentType = Self.contentType
        let newlines = bytes.count { $0 == UInt8(ascii: "\n") }
        let lines = newlines + (bytes.isEmpty || bytes.last == UInt8(ascii: "\n") ? 0 : 1)
        response.headers = [
            ("etag", MD5.digits(bytes)), ("x-object-meta-lines", String(lines)),
            ("x-timestamp", "\(modified.microseconds / 1_000_000).\(Self.fraction(modified).prefix(5))"),
        ]
        return response
    }

    private static let contentType = "text/plain; charset=utf-8"
    private static let missing = plain(404, "The resource could not be found.")

    /// JSON when it is asked for, else one name a line.
    private static func listing(_ rows: [JSONValue], _ query: Query) -> APIResponse {
        guard query["format"] != "json" else { return APIResponse(status: 200, body: JSONValue.array(rows).serialized) }
        return plain(rows.isEmpty ? 204 : 200, rows.compactMap { $0["name"]?.stringValue }.joined(separator: "\n"))
    }

    private static func plain(_ status: Int, _ text: String) -> APIResponse {
        var response = APIResponse(status: status, body: text.isEmpty ? [] : Array((text + "\n").utf8))
        response.contentType = contentType
        return response
    }

    private static func fraction(_ time: Timestamp) -> String {
        let digits = String(time.microseconds % 1_000_000)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }

    private static func precise(_ time: Timestamp) -> String { time.text + "." + fraction(time) }

    private static func precedes(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }
}
