// SPDX-License-Identifier: Apache-2.0

import Identity
import Logging
import Metrics
import Model
import PluginHost
import Policy

/// `/v1.0/{project}/…`: who asks, whether they may ask now, and which route it is.
extension APIResponder {
    func versioned(_ request: APIRequest) async -> APIResponse {
        let requestID = services.random.requestID()
        let response: APIResponse
        do {
            response = try await authenticated(request, requestID)
        } catch is UnauthenticatedError {
            response = Self.unauthorized(identityURL(request))
        } catch {
            response = fault(error, requestID: requestID).response
        }
        return answered(request, requestID, response)
    }

    /// The answer with its request's id; says in the log that it was given.
    func answered(_ request: APIRequest, _ requestID: String, _ response: APIResponse) -> APIResponse {
        var response = response
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

    /// Where who is refused for a missing token gets one.
    func identityURL(_ request: APIRequest) -> String {
        services.identity.authenticationURL ?? APICall.baseURL(request, services.configuration) + "/identity"
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
            roles: caller.roles, userDomainID: caller.userDomainID, projectDomainID: caller.projectDomainID
        )
        context.isAdmin = services.policy.current.makesAdministrator(PolicyCredentials(context))
        let call = APICall(request: request, services: services, context: context, now: services.clock.now)
        try await rateLimiter?.admit(request.method, projectID: caller.projectID)
        return try await route(call, parts.dropFirst())
    }

    func authenticate(_ request: APIRequest) async throws -> AuthenticatedIdentity {
        guard let token = request.header("x-auth-token"), !token.isEmpty else { throw UnauthenticatedError() }
        do {
            return try await services.identity.validate(token, serviceToken: request.header("x-service-token"))
        } catch {
            if let fault = APIFault(error) { throw fault }
            throw UnauthenticatedError()
        }
    }

    private static let resources: Set<String> = ["datastores", "modules", "mgmt"]

    private func route(_ call: APICall, _ parts: ArraySlice<Substring>) async throws -> APIResponse {
        var call = call
        var segments: [String] = []
        for part in parts {
            guard !part.isEmpty, let segment = PercentEncoding.decode(part) else { throw APIFault.unknownRoute }
            segments.append(segment)
        }
        // The same text percent-encoded belongs to the name.
        if let last = parts.last, last.hasSuffix(MediaType.xmlSuffix) {
            segments.stripFormat(MediaType.xmlSuffix)
            if segments.last == "" { throw APIFault.unknownRoute }
        }
        let isDryRun = try DryRun.isAsked(call.request)
        // What is a resource of its own takes a ".json" suffix; to other routes it is part of the id. Source: REST contract §1.3.
        let resource = segments[0].hasSuffix(MediaType.jsonSuffix) ? String(segments[0].dropLast(5)) : segments[0]
        if Self.resources.contains(resource) { segments.stripFormat(MediaType.jsonSuffix) }
        if let (route, parameters) = core.match(call.request.method, segments) {
            call.parameters = parameters
            call.declaredBody = route.about.body
            if isDryRun {
                return try await DryRun.answer(
                    call, operation: route.about.id, effect: route.about.summary, route.handle)
            }
            return try await idempotency.run(call, path: "/" + parts.joined(separator: "/")) {
                try await route.handle($0)
            }
        }
        pluginRoutes.update(await services.plugins.routes)
        // Of the routes below, those of extensions take a ".json" suffix too.
        if let last = parts.last, last.hasSuffix(MediaType.jsonSuffix) { segments.stripFormat(MediaType.jsonSuffix) }
        guard let (route, parameters) = pluginRoutes.match(call.request.method, segments) else {
            throw APIFault.unknownRoute
        }
        call.parameters = parameters
        let path = "/" + parts.joined(separator: "/")
        if isDryRun {
            return try await DryRun.answer(
                call, operation: route.pluginID,
                effect: route.summary.isEmpty ? "Plugin '\(route.pluginID)' serves the request." : route.summary
            ) { try await pluginHandler.handle(route, path: path, $0) }
        }
        return try await idempotency.run(call, path: path) { [pluginHandler] in
            try await pluginHandler.handle(route, path: path, $0)
        }
    }

    /// The contract's body for a missing or invalid token (§1.1), unlike any other fault's.
    private static func unauthorized(_ identityURL: String) -> APIResponse {
        var response = APIResponse.json(401) { writer in
            writer.value([
                "error": [
                    "code": 401, "title": "Unauthorized",
                    "message": "The request you have made requires authentication.",
                ]
            ])
        }
        response.headers.append(("www-authenticate", "Keystone uri=\"\(identityURL)\""))
        return response
    }

    /// What nobody expects is logged under an id that the client gets too.
    func fault(_ error: any Error, requestID: String) -> APIFault {
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
struct UnauthenticatedError: Error {}

extension [String] {
    /// Removes the suffix of a format from the last segment.
    fileprivate mutating func stripFormat(_ suffix: String) {
        guard let last, last.hasSuffix(suffix) else { return }
        self[count - 1] = String(last.dropLast(suffix.count))
    }
}
