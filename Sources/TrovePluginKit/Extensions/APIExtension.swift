// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// A request to a route of a plugin: `api-request`.
public struct APIRequest: Sendable {
    /// `GET`, `POST`, …
    public var method: String
    /// Below `/v1.0/{project}`, as it was sent.
    public var path: String
    /// The route's path with its `{parameters}`.
    public var route: String
    /// Decoded path parameters.
    public var parameters: [String: String]
    /// Decoded query.
    public var query: [String: String]
    /// The body; `nil` without one.
    public var body: JSON?
    /// The project of the request's URL.
    public var projectID: String
    /// Who asks.
    public var userID: String
    /// Whether an administrator asks.
    public var isAdmin: Bool
    /// `req-…`.
    public var requestID: String
    /// Scheme, host and `/v1.0/project`, without a slash at the end.
    public var baseURL: String

    init(_ json: JSON) throws {
        method = try json.text("method")
        path = try json.text("path")
        route = try json.text("route")
        parameters = (json["parameters"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
        query = (json["query"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
        body = json["body"].flatMap { $0.isNull ? nil : $0 }
        projectID = try json.text("project_id")
        userID = json["user_id"]?.stringValue ?? ""
        isAdmin = json["is_admin"]?.boolValue ?? false
        requestID = json["request_id"]?.stringValue ?? ""
        baseURL = try json.text("base_url")
    }
}

/// What a route answers: `api-response`.
public struct APIResponse: Sendable {
    /// HTTP status.
    public var status: Int
    /// The body; `nil` for an empty one.
    public var body: JSON?

    /// A status and a body.
    public init(_ status: Int, _ body: JSON? = nil) {
        self.status = status
        self.body = body
    }
}

/// One method and path that a plugin adds to the REST API.
public struct Route {
    let method: String
    let path: String
    let policy: String
    let summary: String
    let requestSchema: String?
    let responseSchema: String?
    let handle: (APIRequest, Call) throws -> APIResponse

    /// A route.
    ///
    /// - Parameters:
    ///   - method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    ///   - path: Below `/v1.0/{project}`, e.g. `/instances/{id}/users/{name}`.
    ///   - policy: Name of the policy rule that the host asks first.
    ///   - summary: One line for documents made from the routes.
    ///   - requestSchema: JSON Schema of the body; a request that does not fit is refused before `handle` is called.
    ///   - responseSchema: JSON Schema of the answer's body, for clients.
    ///   - handle: Runs on a worker thread; a thrown `PluginFailure` becomes the fault of its status.
    public init(
        _ method: String, _ path: String, policy: String, summary: String = "", requestSchema: JSON? = nil,
        responseSchema: JSON? = nil, handle: @escaping (APIRequest, Call) throws -> APIResponse
    ) {
        self.method = method
        self.path = path
        self.policy = policy
        self.summary = summary
        self.requestSchema = requestSchema?.text
        self.responseSchema = responseSchema?.text
        self.handle = handle
    }
}

extension PluginExtension {
    /// Offers `routes` as `trove.api-extension/1`.
    public static func api(_ routes: [Route]) -> PluginExtension {
        RouteTable.routes = routes
        let items = UnsafeMutablePointer<trove_route_1>.allocate(capacity: max(routes.count, 1))
        for (index, route) in routes.enumerated() { (items + index).initialize(to: RouteTable.entry(route)) }
        return PluginExtension(
            TROVE_EXT_API_EXTENSION,
            trove_api_extension_1(
                size: UInt32(MemoryLayout<trove_api_extension_1>.size), count: UInt32(routes.count), routes: items))
    }
}

private enum RouteTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var routes: [Route] = []

    static func entry(_ route: Route) -> trove_route_1 {
        trove_route_1(
            size: UInt32(MemoryLayout<trove_route_1>.size), flags: 0,
            method: Runtime.constant(route.method), path: Runtime.constant(route.path),
            policy: Runtime.constant(route.policy), summary: Runtime.constant(route.summary),
            request_schema: route.requestSchema.map { Runtime.constant($0) },
            response_schema: route.responseSchema.map { Runtime.constant($0) },
            handle: { RouteTable.serve($0, $1) })
    }

    /// One C function serves all routes: the request says which one it is for.
    static func serve(_ handle: OpaquePointer?, _ request: trove_str) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            let request = try APIRequest(try JSON(borrowed: request))
            guard let route = routes.first(where: { $0.method == request.method && $0.path == request.route }) else {
                throw PluginFailure(.internal, "this plugin has no route \(request.method) \(request.route)")
            }
            let response = try route.handle(request, call)
            try call.emit(.members(["status": .int(Int64(response.status)), "body": response.body]))
        }
    }
}
