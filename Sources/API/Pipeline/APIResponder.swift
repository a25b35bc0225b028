// SPDX-License-Identifier: Apache-2.0

import Identity
import Logging
import Metrics
import Model
import PluginHost
import Policy

/// Answers requests: versions, health, identity, and the pipeline in front of the routes.
///
/// Order (it decides which error wins): request id, token, project, rate limit, route, policy, body.
/// Source: REST contract §1.1.
package final class APIResponder: Sendable {
    private let services: APIServices
    private let core: RouteTable<RouteHandler>
    private let pluginRoutes: PluginRouteTable
    private let pluginHandler: PluginRouteHandler
    private let rateLimiter: RateLimiter?
    private let timer = Metrics.Timer(label: "trove.api.request.duration")
    private let failures = Counter(label: "trove.api.request.uncaught")

    package init(_ services: APIServices) {
        self.services = services
        let rateLimiter = services.configuration.rateLimits.map(RateLimiter.init(limits:))
        self.rateLimiter = rateLimiter
        let routes = Self.coreRoutes(rateLimiter, hasConstantRoute: services.configuration.hasConstantRoute)
        core = RouteTable(routes)
        pluginRoutes = PluginRouteTable(core: routes.map(\.pattern), logger: services.logger)
        pluginHandler = PluginRouteHandler(control: ControlService(services))
    }

    private static func coreRoutes(
        _ rateLimiter: RateLimiter?, hasConstantRoute: Bool
    ) -> [Route<RouteHandler>] {
        InstanceRoutes.routes + BackupRoutes.routes + DatastoreRoutes.routes + FlavorRoutes.routes
            + LimitRoutes(rateLimiter: rateLimiter).routes + ExtensionRoutes.routes + PluginManagementRoutes.routes
            + (hasConstantRoute ? ConstantRoute.routes : [])
    }

    /// The API's own routes below `/v1.0/{project}`, `METHOD /path` or `* /path`, which no plugin may have.
    package static func coreRouteNames(hasConstantRoute: Bool) -> [String] {
        coreRoutes(nil, hasConstantRoute: hasConstantRoute).map { ($0.pattern.method ?? "*") + " " + $0.pattern.path }
    }

    /// Mounts what plugins offer now; routes that clash with others are logged, named in the answer and left out.
    package func mountPluginRoutes() async -> [String] {
        pluginRoutes.update(await services.plugins.routes)
        return pluginRoutes.refusals
    }

    /// Never fails: whatever goes wrong becomes a fault.
    package func respond(to request: APIRequest) async -> APIResponse {
        let start = ContinuousClock.now
        let response = await dispatch(request)
        timer.recordNanoseconds((ContinuousClock.now - start).microseconds * 1000)
        return response
    }

    private func dispatch(_ request: APIRequest) async -> APIResponse {
        switch request.path {
        case "", "/": return await root(request)
        case "/healthcheck": return VersionDocuments.health
        case "/v1.0", "/v1.0/":
            return VersionDocuments.version(baseURL: APICall.baseURL(request, services.configuration))
        default: break
        }
        if request.path.hasPrefix("/v1.0/") { return await versioned(request) }
        if request.path == "/identity" || request.path.hasPrefix("/identity/") { return await identity(request) }
        guard let version = Self.acceptedVersion(request) else { return APIFault.unknownRoute.response }
        guard version == "1.0" else { return APIFault(406, "version not supported").response }
        var versioned = request
        versioned.path = "/v1.0" + request.path
        return await self.versioned(versioned)
    }

    /// `GET /`: the versions, unless `Accept` asks for one that there is not.
    private func root(_ request: APIRequest) async -> APIResponse {
        if let version = Self.acceptedVersion(request), version != "1.0" {
            return APIFault(406, "version not supported").response
        }
        return VersionDocuments.versions(baseURL: APICall.baseURL(request, services.configuration))
    }

    /// The version in `Accept: application/vnd.openstack.trove+json;version=X`; nil without.
    private static func acceptedVersion(_ request: APIRequest) -> String? {
        guard let accept = request.header("accept"), accept.hasPrefix("application/vnd.openstack.trove"),
            let start = accept.range(of: ";version=")
        else { return nil }
        return String(accept[start.upperBound...].prefix { $0 != ";" && $0 != "," && $0 != " " })
    }

    private func identity(_ request: APIRequest) async -> APIResponse {
        do {
            let path = request.path.dropFirst("/identity".count)
            guard let path = PercentEncoding.decode(path) else { throw APIFault.unknownRoute }
            let bytes = try await request.bytes(limit: services.configuration.maximumBodyBytes)
            let answer = await services.identity.handle(
                IdentityRequest(
                    method: request.method, path: path, query: request.query ?? "",
                    headers: request.headers.map { ($0.name, $0.value) }, body: bytes,
                    baseURL: APICall.baseURL(request, services.configuration)
                )
            )
            var response = APIResponse(status: answer.status, body: answer.body)
            for (name, value) in answer.headers {
                switch name.lowercased() {
                case "content-type": response.contentType = value
                case "content-length": continue
                default: response.headers.append((name.lowercased(), value))
                }
            }
            return response
        } catch {
            return fault(error, requestID: services.random.requestID()).response
        }
    }
}

// MARK: - /v1.0

extension APIResponder {
    private func versioned(_ request: APIRequest) async -> APIResponse {
        let requestID = services.random.requestID()
        var response: APIResponse
        do {
            response = try await authenticated(request, requestID)
        } catch is UnauthenticatedError {
            response = Self.unauthorized(APICall.baseURL(request, services.configuration))
        } catch {
            response = fault(error, requestID: requestID).response
        }
        response.headers.append(("x-openstack-request-id", requestID))
        services.logger.debug(
            "request answered",
            metadata: [
                "request.id": .string(requestID), "http.method": .string(request.method),
                "http.path": .string(request.path), "http.status": .stringConvertible(response.status),
            ]
        )
        return response
    }

    private func authenticated(_ request: APIRequest, _ requestID: String) async throws -> APIResponse {
        let caller = try await authenticate(request)
        let parts = request.path.utf8.dropFirst("/v1.0/".utf8.count)
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard parts.count > 1, !caller.projectID.isEmpty, parts[0] == caller.projectID else {
            throw APIFault(
                .policyNotAuthorized,
                "User with tenant id \(caller.projectID) cannot access this resource: '\(request.path)'"
            )
        }
        var context = RequestContext(
            requestID: requestID, userID: caller.userID, userName: caller.userName, projectID: caller.projectID,
            roles: caller.roles
        )
        context.isAdmin = services.policy.current.makesAdministrator(PolicyCredentials(context))
        let call = APICall(request: request, services: services, context: context, now: services.clock.now)
        try rateLimiter?.admit(request.method, projectID: caller.projectID, now: call.now)
        return try await route(call, parts.dropFirst())
    }

    private func authenticate(_ request: APIRequest) async throws -> AuthenticatedIdentity {
        guard let token = request.header("x-auth-token"), !token.isEmpty else { throw UnauthenticatedError() }
        do {
            return try await services.identity.validate(token)
        } catch {
            guard !error.isRetryable else {
                var fault = APIFault(503, "Tokens cannot be checked now; please try again.")
                fault.retryAfter = 1
                throw fault
            }
            throw UnauthenticatedError()
        }
    }

    private func route(_ call: APICall, _ parts: ArraySlice<Substring>) async throws -> APIResponse {
        var call = call
        var segments: [String] = []
        for part in parts {
            guard !part.isEmpty, let segment = PercentEncoding.decode(part) else { throw APIFault.unknownRoute }
            segments.append(segment)
        }
        if let (handler, parameters) = core.match(call.request.method, segments) {
            call.parameters = parameters
            if segments[0] == "datastores" { call.parameters.stripFormat() }
            return try await handler(call)
        }
        pluginRoutes.update(await services.plugins.routes)
        // Routes of extensions take a ".json" suffix; the same text percent-encoded belongs to the name.
        if let last = parts.last, last.hasSuffix(".json") { segments.stripFormat() }
        guard let (route, parameters) = pluginRoutes.match(call.request.method, segments) else {
            throw APIFault.unknownRoute
        }
        call.parameters = parameters
        return try await pluginHandler.handle(route, path: "/" + parts.joined(separator: "/"), call)
    }

    /// The contract's body for a missing or invalid token (§1.1), unlike any other fault's.
    private static func unauthorized(_ baseURL: String) -> APIResponse {
        var response = APIResponse.json(401) { writer in
            writer.value([
                "error": [
                    "code": 401, "title": "Unauthorized",
                    "message": "The request you have made requires authentication.",
                ]
            ])
        }
        response.headers.append(("www-authenticate", "Keystone uri=\"\(baseURL)/identity\""))
        return response
    }

    /// What nobody expects is logged under an id that the client gets too.
    private func fault(_ error: any Error, requestID: String) -> APIFault {
        if let fault = APIFault(error) {
            if fault.status >= 500 {
                services.logger.warning(
                    "request failed",
                    metadata: [
                        "request.id": .string(requestID), "http.status": .stringConvertible(fault.status),
                        "error.message": .string(fault.message),
                    ]
                )
            }
            return fault
        }
        let id = services.random.uuid()
        failures.increment()
        services.logger.error(
            "uncaught error",
            metadata: [
                "request.id": .string(requestID), "error.id": .string(id), "error.message": .string("\(error)"),
            ]
        )
        return .uncaught(id: id)
    }
}

/// No token, or one that is not valid.
private struct UnauthenticatedError: Error {}

extension [String] {
    /// Removes ".json" from the last segment.
    fileprivate mutating func stripFormat() {
        guard let last, last.hasSuffix(".json") else { return }
        self[count - 1] = String(last.dropLast(".json".count))
    }
}

extension String {
    /// The first occurrence of `text`.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text), let end = index(start, offsetBy: text.count, limitedBy: endIndex) {
                return start..<end
            }
            formIndex(after: &start)
        }
        return nil
    }
}
