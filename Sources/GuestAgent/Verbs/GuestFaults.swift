// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// Failures as callers of the guest's verbs see them.
enum GuestFaults {
    /// The failure's class on the bus for an error of a verb.
    ///
    /// `NotFound` and `AlreadyExists` of a plugin become the class of the noun that the verb is about. What has no class of
    /// its own is a `GuestError`, as the reference service's client has it.
    static func fault(_ error: any Error, verb: GuestVerb) -> RPCFault {
        switch error {
        case let fault as RPCFault: return fault
        case let error as PluginError: return RPCFault(className: className(error.code, verb), message: message(error))
        case let error as GuestAgentError:
            return RPCFault(className: error.code == .timedOut ? "GuestTimeout" : "GuestError", message: error.message)
        default: return RPCFault(className: "GuestError", message: "\(error)")
        }
    }

    /// What is about the request is for the tenant, in the engine's own sentence; what is trouble names its plugin.
    private static func message(_ error: PluginError) -> String {
        switch error.code {
        case .invalidArgument, .notFound, .alreadyExists, .preconditionFailed: error.message
        default: "\(error)"
        }
    }

    private static func className(_ code: PluginError.Code, _ verb: GuestVerb) -> String {
        switch code {
        case .invalidArgument: "BadRequest"
        case .notFound: noun(verb) + "NotFound"
        case .alreadyExists: noun(verb) + "AlreadyExists"
        case .unsupported: "DatastoreOperationNotSupported"
        case .preconditionFailed: "UnprocessableEntity"
        case .timedOut: "GuestTimeout"
        default: "GuestError"
        }
    }

    private static func noun(_ verb: GuestVerb) -> String {
        switch verb {
        case .createDatabase, .deleteDatabase, .listDatabases: "Database"
        case .moduleApply, .moduleRemove: "ModuleType"
        default: "User"
        }
    }
}
