// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// Databases, users and root: from the bus's documents to the plugin's and back.
struct DatastoreVerbs: Sendable {
    let plugins: GuestPlugins

    /// A verb with what it was sent.
    struct Request {
        let verb: GuestVerb
        let arguments: [String: JSONValue]
        let context: RequestContext
    }

    /// Performs one of the verbs that go to the datastore.
    ///
    /// - Returns: The verb's reply; nil when it is not one of them.
    /// - Throws: `RPCFault` for arguments that cannot be understood, `PluginError`.
    func perform(_ request: Request) async throws -> JSONValue? {
        switch request.verb {
        case .createDatabase, .deleteDatabase, .listDatabases: try await databases(request)
        case .createUser, .deleteUser, .listUsers, .getUser, .changePasswords, .updateAttributes:
            try await users(request)
        case .listAccess, .grantAccess, .revokeAccess: try await access(request)
        case .isRootEnabled, .enableRoot, .enableRootWithPassword, .disableRoot: try await root(request)
        default: nil
        }
    }

    private func databases(_ request: Request) async throws -> JSONValue? {
        switch request.verb {
        case .createDatabase:
            let databases = try request.list("databases").map(WireForm.fromBus)
            _ = try await call(.createDatabases, ["databases": .array(databases)], request)
            return .null
        case .deleteDatabase:
            _ = try await call(.deleteDatabase, ["name": .string(try request.name(in: "database"))], request)
            return .null
        default:
            let page = try await call(.listDatabases, request.page, request)
            return [Self.items(page, "databases"), page["next"] ?? .null]
        }
    }

    private func users(_ request: Request) async throws -> JSONValue? {
        switch request.verb {
        case .createUser:
            let users = try request.list("users").map(WireForm.fromBus)
            _ = try await call(.createUsers, ["users": .array(users)], request)
        case .deleteUser:
            let user = WireForm.fromBus(request.arguments["user"] ?? .null)
            let host = user["host"]?.stringValue ?? "%"
            let document: JSONValue = ["name": .string(try request.name(in: "user")), "host": .string(host)]
            _ = try await call(.deleteUser, document, request)
        case .changePasswords:
            for user in try request.list("users") { try await changePassword(user, request) }
        case .updateAttributes:
            _ = try await call(.updateUser, try request.userUpdate, request)
        case .getUser: return try await user(request).map(Self.busUser) ?? .null
        default:
            let page = try await call(.listUsers, request.page, request)
            return [Self.items(page, "users"), page["next"] ?? .null]
        }
        return .null
    }

    private func changePassword(_ user: JSONValue, _ request: Request) async throws {
        let user = WireForm.fromBus(user)
        guard let name = user["name"]?.stringValue, let password = user["password"]?.stringValue else {
            throw RPCFault.typeError("change_passwords() argument 'users' must be a list of users with passwords")
        }
        let document: JSONValue = [
            "name": .string(name), "host": .string(user["host"]?.stringValue ?? "%"), "new_password": .string(password),
        ]
        _ = try await call(.updateUser, document, request)
    }

    private func access(_ request: Request) async throws -> JSONValue? {
        switch request.verb {
        case .grantAccess:
            var document = try request.user
            document["databases"] = .array(try request.list("databases").map(Self.databaseName).map(JSONValue.string))
            _ = try await call(.grantAccess, .object(document), request)
        case .revokeAccess:
            var document = try request.user
            document["database"] = .string(try Self.databaseName(request.arguments["database"] ?? .null))
            _ = try await call(.revokeAccess, .object(document), request)
        default:
            guard let user = try await user(request) else {
                throw RPCFault(className: "UserNotFound", message: "the user does not exist")
            }
            return Self.items(user, "databases")
        }
        return .null
    }

    private func root(_ request: Request) async throws -> JSONValue? {
        switch request.verb {
        case .isRootEnabled:
            return .bool(try await call(.rootStatus, [:], request)["enabled"]?.boolValue ?? false)
        case .disableRoot:
            _ = try await call(.disableRoot, [:], request)
            return .null
        default:
            let password = request.arguments["root_password"] ?? .null
            guard password.isNull || password.stringValue != nil else {
                throw RPCFault.typeError("\(request.verb.rawValue)() argument 'root_password' must be a string")
            }
            let root = try await call(.enableRoot, ["password": password], request)
            return [
                "_name": root["name"] ?? "root", "_password": root["password"] ?? password, "_host": "%",
                "_databases": [], "_is_root": true,
            ]
        }
    }

    /// The user that the arguments name; nil when there is none.
    private func user(_ request: Request) async throws -> JSONValue? {
        do {
            let view = try await call(.getUser, .object(try request.user), request)
            return view.isNull ? nil : view
        } catch let error as PluginError where error.code == .notFound {
            return nil
        }
    }

    private func call(
        _ function: DatastoreFunction, _ document: JSONValue, _ request: Request
    ) async throws -> JSONValue {
        // Before the caller gives up, so that it hears the reason.
        let deadline = Deadline.after(request.verb.timeout - .seconds(1))
        return try await plugins.call(
            function, document, verb: request.verb.rawValue, deadline: deadline, context: request.context)
    }

    private static func items(_ document: JSONValue, _ name: String) -> JSONValue {
        let items = document[name]?.arrayValue ?? []
        return .array(items.map(name == "users" ? busUser : WireForm.toBus))
    }

    /// A user-view with the members that callers of the reference service's guest read.
    private static func busUser(_ user: JSONValue) -> JSONValue {
        var members = WireForm.toBus(user).objectValue ?? [:]
        members["_host"] = members["_host"] ?? "%"
        members["_databases"] = members["_databases"] ?? []
        return .object(members)
    }

    /// A name as such, or in a document.
    private static func databaseName(_ value: JSONValue) throws -> String {
        guard let name = value.stringValue ?? WireForm.fromBus(value)["name"]?.stringValue else {
            throw RPCFault.typeError("a database must be a name")
        }
        return name
    }
}

extension DatastoreVerbs.Request {
    func list(_ name: String) throws -> [JSONValue] {
        guard let items = arguments[name]?.arrayValue else {
            throw RPCFault.typeError("\(verb.rawValue)() argument '\(name)' must be a list")
        }
        return items
    }

    func text(_ name: String) throws -> String {
        guard let text = arguments[name]?.stringValue else {
            throw RPCFault.typeError("\(verb.rawValue)() argument '\(name)' must be a string")
        }
        return text
    }

    /// `_name` of the document in an argument.
    func name(in argument: String) throws -> String {
        guard let name = WireForm.fromBus(arguments[argument] ?? .null)["name"]?.stringValue else {
            throw RPCFault.typeError("\(verb.rawValue)() argument '\(argument)' must be an object with a name")
        }
        return name
    }

    /// The user in `username` and `hostname`.
    var user: [String: JSONValue] {
        get throws {
            let host = arguments["hostname"]?.stringValue ?? "%"
            return ["name": .string(try text("username")), "host": .string(host)]
        }
    }

    /// page-request: what is not null.
    var page: JSONValue {
        .object(arguments.filter { ["limit", "marker", "include_marker"].contains($0.key) && !$0.value.isNull })
    }

    /// user-update from `user_attrs`.
    var userUpdate: JSONValue {
        get throws {
            guard let attributes = arguments["user_attrs"]?.objectValue else {
                throw RPCFault.typeError("\(verb.rawValue)() argument 'user_attrs' must be an object")
            }
            var document = try user
            for name in ["name", "host", "password"] {
                guard let value = attributes[name] ?? attributes["_" + name], !value.isNull else { continue }
                document["new_" + name] = value
            }
            return .object(document)
        }
    }
}
