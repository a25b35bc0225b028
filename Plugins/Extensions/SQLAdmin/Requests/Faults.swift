// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The faults of these routes; the host turns a status into the fault's key and code.
enum Faults {
    /// 400, `badRequest`.
    static func badRequest(_ message: String) -> PluginFailure { PluginFailure(.invalidArgument, message) }

    /// 404, `itemNotFound`.
    static func missing(user: String) -> PluginFailure {
        PluginFailure(.notFound, "User \(user) cannot be found on the instance.")
    }

    /// 404, `itemNotFound`.
    static func missing(database: String) -> PluginFailure {
        PluginFailure(.notFound, "Database \(database) cannot be found on the instance.")
    }

    /// 400: the name is taken.
    static func existing(database: String) -> PluginFailure {
        badRequest("A database with the name \"\(database)\" already exists.")
    }

    /// 400: the name is taken.
    static func existing(user: String) -> PluginFailure {
        badRequest("A user with the name \"\(user)\" already exists.")
    }

    /// 422, `unprocessableEntity`.
    static func notReady(_ id: String, _ status: String) -> PluginFailure {
        PluginFailure(.preconditionFailed, "Instance \(id) is not ready, status: \(status).")
    }

    /// 501, `notImplemented`. The verbs of root are one operation to clients.
    static func unsupported(_ verb: String, _ datastore: String) -> PluginFailure {
        let operation = verb.contains("root") ? "root" : verb
        return PluginFailure(
            .unsupported, "The '\(operation)' operation is not supported for the '\(datastore)' datastore.")
    }
}
