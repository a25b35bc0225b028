// SPDX-License-Identifier: Apache-2.0

import Identity
import KeyManager
import Logging
import Model

extension APIResponder {
    /// `/key-manager…`: every failure is a response of its form.
    func keys(_ request: APIRequest) async -> APIResponse {
        let requestID = services.random.requestID()
        return answered(request, requestID, await answer(request, requestID))
    }

    private func answer(_ request: APIRequest, _ requestID: String) async -> APIResponse {
        guard let management = services.keyManager else {
            return KeyManagerFault(404, "There is no key manager inside this control plane.").response
        }
        let face = KeyManagerFace(services, management, request)
        if let versions = face.versions(request) { return versions }
        do {
            let caller = try await authenticate(request)
            try await rateLimiter?.admit(request.method, projectID: caller.projectID)
            return try await face.respond(to: request, caller)
        } catch is UnauthenticatedError {
            var response = KeyManagerFault(401, "The request you have made requires authentication.").response
            response.headers.append(("www-authenticate", "Keystone uri=\"\(identityURL(request))\""))
            return response
        } catch let fault as KeyManagerFault {
            return fault.response
        } catch {
            let fault = fault(error, requestID: requestID)
            var response = KeyManagerFault(fault.status, fault.message)
            response.retryAfter = fault.retryAfter
            return response.response
        }
    }
}
