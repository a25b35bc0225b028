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
    let services: APIServices
    private let routes: [Route<CoreRoute>]
    let core: RouteTable<CoreRoute>
    let pluginRoutes: PluginRouteTable
    let pluginHandler: PluginRouteHandler
    let rateLimiter: RateLimiter?
    let idempotency: IdempotentRequests
    private let health: HealthCheck
    private let timer = Metrics.Timer(label: "trove.api.request.duration")
    let failures = Counter(label: "trove.api.request.uncaught")

    package init(_ services: APIServices) {
        self.services = services
        let rateLimiter = services.configuration.rateLimits.map { limits in
            RateLimiter(
                limits: limits, owner: services.random.uuid(), store: services.store, clock: services.clock,
                logger: services.logger)
        }
        self.rateLimiter = rateLimiter
        let routes = Self.coreRoutes(rateLimiter, hasConstantRoute: services.configuration.hasConstantRoute)
        self.routes = routes
        core = RouteTable(routes)
        pluginRoutes = PluginRouteTable(core: routes.map(\.pattern), logger: services.logger)
        pluginHandler = PluginRouteHandler(control: ControlService(services))
        idempotency = IdempotentRequests(services: services)
        health = HealthCheck(store: services.store, disablingFile: services.configuration.healthDisablingFile)
    }

    /// Says in `/healthcheck` that this process ends.
    func beginDrain() {
        health.beginDrain()
        services.feed.end()
    }

    /// Reads what streams of events send until the task is cancelled.
    func followEvents() async { await services.feed.run() }

    /// Keeps this process's share of the rates small while it is idle; gives all of it back when the task is cancelled.
    func keepRates() async { await rateLimiter?.keep() }

    private static func coreRoutes(
        _ rateLimiter: RateLimiter?, hasConstantRoute: Bool
    ) -> [Route<CoreRoute>] {
        InstanceRoutes.routes + BackupRoutes.routes + DatastoreRoutes.routes + FlavorRoutes.routes
            + ConfigurationRoutes.routes + ParameterRoutes.routes + ParameterManagementRoutes.routes
            + LimitRoutes(rateLimiter: rateLimiter).routes + ExtensionRoutes.routes + PluginManagementRoutes.routes
            + QuotaRoutes.routes + ClusterRoutes.routes + ClusterManagementRoutes.routes + BackupStrategyRoutes.routes
            + GuestUpdateRoutes.routes + GuestLogRoutes.routes + ModuleRoutes.routes + ModuleInstanceRoutes.routes
            + InstanceModuleRoutes.routes + SecurityGroupRoutes.routes + EventRoutes.routes + InstanceTLSRoutes.routes
            + InstanceManagementRoutes.routes + DatastoreVersionManagementRoutes.routes + HostManagementRoutes.routes
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
        let represented = Self.isOther(request.path) ? response : response.represented(for: request)
        timer.recordNanoseconds((ContinuousClock.now - start).microseconds * 1000)
        return represented
    }

    private func dispatch(_ request: APIRequest) async -> APIResponse {
        switch request.path {
        case "", "/", "/.xml": return await root(request)
        case "/healthcheck": return await health.response()
        case "/v1.0", "/v1.0/", "/v1.0.xml", "/v1.0/.xml":
            return VersionDocuments.version(baseURL: APICall.baseURL(request, services.configuration))
        case "/v1.0/openapi.json": return await document(request)
        default: break
        }
        if request.path.hasPrefix("/v1.0/") { return await versioned(request) }
        if Self.isIdentity(request.path) { return await identity(request) }
        if request.path.hasPrefix(ObjectStoreFace.prefix) { return await objects(request) }
        if KeyManagerFace.isPath(request.path) { return await keys(request) }
        guard let version = Self.acceptedVersion(request) else { return APIFault.unknownRoute.response }
        guard version == "1.0" else { return APIFault(406, "version not supported").response }
        var versioned = request
        versioned.path = "/v1.0" + request.path
        return await self.versioned(versioned)
    }

    /// The identity service's own API has JSON only.
    private static func isIdentity(_ path: String) -> Bool { path == "/identity" || path.hasPrefix("/identity/") }

    /// The APIs of other services that this one answers have forms of their own.
    private static func isOther(_ path: String) -> Bool {
        isIdentity(path) || path.hasPrefix(ObjectStoreFace.prefix) || KeyManagerFace.isPath(path)
    }

    /// `GET /`: the versions, unless `Accept` asks for one that there is not.
    private func root(_ request: APIRequest) async -> APIResponse {
        if let version = Self.acceptedVersion(request), version != "1.0" {
            return APIFault(406, "version not supported").response
        }
        return VersionDocuments.versions(baseURL: APICall.baseURL(request, services.configuration))
    }

    /// The OpenAPI document of the routes that are served now. It holds nothing that a token would protect.
    private func document(_ request: APIRequest) async -> APIResponse {
        pluginRoutes.update(await services.plugins.routes)
        let document = OpenAPIDocument.make(
            routes, plugins: pluginRoutes.accepted, baseURL: APICall.baseURL(request, services.configuration),
            release: Product.version)
        return APIResponse(status: 200, body: document.serialized)
    }

    /// The version in `Accept: application/vnd.openstack.trove+json;version=X`; nil without.
    private static func acceptedVersion(_ request: APIRequest) -> String? {
        guard let accept = request.header("accept"), accept.hasPrefix("application/vnd.openstack.trove"),
            let start = accept.range(of: ";version=")
        else { return nil }
        return String(accept[start.upperBound...].prefix { $0 != ";" && $0 != "," && $0 != " " })
    }

    private func objects(_ request: APIRequest) async -> APIResponse {
        do {
            return try await ObjectStoreFace(services: services).respond(to: request, try await authenticate(request))
        } catch is UnauthenticatedError {
            return APIFault(401, "The request you have made requires authentication.").response
        } catch {
            return fault(error, requestID: services.random.requestID()).response
        }
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
