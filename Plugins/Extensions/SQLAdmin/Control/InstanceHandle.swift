// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The instance that a request is for, and its guest.
struct InstanceHandle {
    let id: String
    let projectID: String
    private let datastore: String
    private let isRunning: Bool
    private let serviceStatus: String
    private let call: Call

    /// Looks the instance up with the caller's own view.
    ///
    /// - Throws: The host's 404 for one that is not there or not the caller's.
    init(_ request: APIRequest, _ call: Call) throws {
        guard let id = request.parameters["id"] else { throw PluginFailure(.internal, "the route has no {id}") }
        let instance = try Host.control("instance.get", ["instance_id": .string(id)], call: call)
        self.id = id
        self.call = call
        projectID = try instance.text("project_id")
        datastore = instance["datastore"]?.stringValue ?? ""
        isRunning = instance["is_running"]?.boolValue ?? false
        serviceStatus = instance["service_status"]?.stringValue ?? "unknown"
    }

    /// Throws 422 unless the engine answers.
    func requireRunning() throws {
        guard isRunning else { throw Faults.notReady(id, serviceStatus) }
    }

    /// Calls a verb of the guest. Its failures, and its silence, are the host's 400 with the contract's sentence; what the
    /// engine does not have is 501.
    @discardableResult
    func guest(_ verb: String, _ arguments: [String: JSON] = [:]) throws -> JSON {
        let request: JSON = [
            "instance_id": .string(id), "verb": .string(verb), "arguments": .object(arguments),
        ]
        do {
            return try Host.control("guest.call", request, call: call)
        } catch let failure as PluginFailure where failure.status == .unsupported {
            throw Faults.unsupported(verb, datastore)
        }
    }

    /// The failure for something that is not there: `missing`, unless the engine has a better reason not to do what is asked
    /// of it, e.g. that it cannot, or that the name is its own. For what does nothing where nothing is.
    func refusal(_ verb: String, _ arguments: [String: JSON], missing: PluginFailure) -> PluginFailure {
        do {
            try guest(verb, arguments)
            return missing
        } catch let failure as PluginFailure where failure.status != .notFound {
            return failure
        } catch {
            return missing
        }
    }

    /// Whether root has ever been enabled.
    func wasRootEnabled() throws -> Bool {
        try Host.control("root_history.get", ["instance_id": .string(id)], call: call)["enabled"]?.boolValue ?? false
    }
}

extension InstanceHandle {
    /// An instance whose engine answers.
    static func running(_ request: APIRequest, _ call: Call) throws -> InstanceHandle {
        let instance = try InstanceHandle(request, call)
        try instance.requireRunning()
        return instance
    }

    /// Whether there is a database of that name.
    func hasDatabase(_ name: String) throws -> Bool {
        let page = try guest("list_databases", ["limit": 1, "marker": .string(name), "include_marker": true])
        return page.arrayValue?.first?.arrayValue?.first?["_name"]?.stringValue == name
    }

    /// Whether there is a user of that name and host.
    func hasUser(_ user: UserID) throws -> Bool {
        let page = try guest("list_users", ["limit": 1, "marker": .string(user.text), "include_marker": true])
        let first = page.arrayValue?.first?.arrayValue?.first
        return first?["_name"]?.stringValue == user.name && (first?["_host"]?.stringValue ?? "%") == user.host
    }

    /// The user in the bus's form; `nil` if there is none.
    func user(_ user: UserID) throws -> JSON? {
        let found = try guest("get_user", ["username": .string(user.name), "hostname": .string(user.host)])
        return found.isNull ? nil : found
    }

    /// A page of a list verb: `[[item], next marker or null]`.
    func page(_ verb: String, _ link: PageLink) throws -> (items: [JSON], next: String?) {
        guard let reply = try guest(verb, link.arguments).arrayValue, reply.count == 2, let items = reply[0].arrayValue
        else { throw PluginFailure(.internal, "the guest's answer to \(verb) is not a page") }
        return (items, reply[1].stringValue)
    }
}
