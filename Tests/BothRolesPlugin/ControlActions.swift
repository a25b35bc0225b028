// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// What is done in the control plane.
enum ControlActions {
    static var all: [Action] { [note, resolve] }

    private static var note: Action {
        Action(
            "swift_note", "Keeps a value about an instance", Arg("instance_id", .string, "the instance"),
            Arg("value", .string, "what to keep", isOptional: true)
        ) { (call, instance: String, value: String?) in
            try call.emit(try Memory.exchange("note/" + instance, value, call))
        }
    }

    /// The manifest gives it a rule that is for administrators.
    private static var resolve: Action {
        Action("swift_resolve", "Does what administrators may", isReadOnly: true) { call in
            try call.emit(["pid": .int(Int64(getpid()))])
        }
    }
}

/// `GET /instances/{id}/swift-peer`: what the guest says of itself, and whether root was ever enabled.
enum PeerRoute {
    static var route: Route {
        Route(
            "GET", RoutePath.instance("swift-peer"), policy: "both:peer", summary: "Asks the guest",
            responseSchema: ["type": "object", "required": ["peer", "root", "pid"]]
        ) { request, call in
            let id = request.parameters["id"] ?? ""
            let payload: JSON = ["asked_by": .string(request.projectID)]
            let peer = try Host.rpc.call("about", payload, instanceID: id, call: call)
            let history = try Host.control("root_history.get", ["instance_id": .string(id)], call: call)
            return APIResponse(
                200, ["peer": peer, "root": history["enabled"] ?? .null, "pid": .int(Int64(getpid()))])
        }
    }
}

/// What this plugin answers to itself in the other role.
enum Peer {
    static func answer(_ message: PeerMessage, _ call: Call) throws -> JSON {
        BothRoles.count(message.method)
        switch message.method {
        case "about":
            return [
                "from": .string(message.sender.rawValue), "instance_id": .string(message.instanceID),
                "payload": message.payload, "pid": .int(Int64(getpid())),
            ]
        case "keep":
            guard let value = message.payload.stringValue else {
                throw PluginFailure(.invalidArgument, "a value is text")
            }
            return try Memory.exchange("note/" + message.instanceID, value, call)
        default: throw PluginFailure(.notFound, "nothing is known of '\(message.method)'")
        }
    }
}
