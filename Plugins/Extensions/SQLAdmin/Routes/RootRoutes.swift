// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// `/instances/{id}/root`. Source: REST contract §5.2.
enum RootRoutes {
    static var all: [Route] {
        let root = "/instances/{id}/root"
        let policy = "instance:extension:root:"
        return [
            Route("GET", root, policy: policy + "index", handle: show),
            Route("POST", root, policy: policy + "create", handle: enable),
            Route("DELETE", root, policy: policy + "delete", handle: disable),
            Route("DELETE", root + "/delete", policy: policy + "delete", handle: disable),
        ]
    }

    private static func show(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        APIResponse(200, ["rootEnabled": .bool(try target(request, call).wasRootEnabled())])
    }

    private static func enable(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let password = try Bodies.rootPassword(request)
        let instance = try target(request, call)
        let root =
            if let password {
                try instance.guest("enable_root_with_password", ["root_password": .string(password)])
            } else {
                try instance.guest("enable_root")
            }
        return APIResponse(200, ["user": ["name": root["_name"] ?? "root", "password": root["_password"] ?? .null]])
    }

    private static func disable(_ request: APIRequest, _ call: Call) throws -> APIResponse {
        let instance = try target(request, call)
        // The record follows the engine a moment later, and an engine without root has a better answer.
        if try !instance.wasRootEnabled(), try instance.guest("is_root_enabled") != true {
            throw PluginFailure(.notFound, "Root user has never been enabled on the instance.")
        }
        try instance.guest("disable_root")
        return APIResponse(204)
    }

    /// A running instance of the URL's own project, for administrators too.
    private static func target(_ request: APIRequest, _ call: Call) throws -> InstanceHandle {
        let missing = PluginFailure(.notFound, "DBCluster Not Found")
        let instance: InstanceHandle
        do {
            instance = try InstanceHandle(request, call)
        } catch let failure as PluginFailure where failure.status == .notFound {
            throw missing
        }
        guard instance.projectID == request.projectID else { throw missing }
        try instance.requireRunning()
        return instance
    }
}
