// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// `module_apply` and `module_remove`: hands modules to the plugin that serves their type.
///
/// Request: `{"modules": [{"module": module}]}`, or `{"module": {"module": module}}`; `name`, `type` and `contents` (base64) are
///          required for applying, `name` and `type` for removing.
/// Reply:   `module_apply`: one result a module, with `status` `OK` or `ERROR` and `message`; `module_remove`: null.
/// Source:  guest RPC of the reference service, modules.
struct ModuleVerbs: Sendable {
    let plugins: GuestPlugins

    func apply(
        _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext, now: Timestamp
    ) async throws -> JSONValue {
        guard let items = arguments["modules"]?.arrayValue else {
            throw RPCFault.typeError("module_apply() argument 'modules' must be a list")
        }
        var results: [JSONValue] = []
        for item in items {
            let module = try Self.module(item, "module_apply", needsContents: true)
            var outcome: (status: String, message: String)
            do throws(PluginError) {
                let answer = try await plugins.module(.apply, document(module), deadline: deadline, context: context)
                outcome = ("OK", answer["message"]?.stringValue ?? "")
            } catch {
                outcome = ("ERROR", "\(error)")
            }
            results.append(Self.result(module, outcome, now))
        }
        return .array(results)
    }

    func remove(
        _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext
    ) async throws -> JSONValue {
        let module = try Self.module(arguments["module"] ?? .null, "module_remove", needsContents: false)
        _ = try await plugins.module(.remove, document(module), deadline: deadline, context: context)
        return .null
    }

    /// module-request.json.
    private func document(_ module: [String: JSONValue]) -> JSONValue {
        var document: [String: JSONValue] = [:]
        for name in ["id", "name", "type", "contents", "md5"] {
            if let value = module[name], value.stringValue != nil { document[name] = value }
        }
        document["id"] = document["id"] ?? ""
        document["contents"] = document["contents"] ?? ""
        document["datastore"] = [
            "name": .string(plugins.configuration.datastoreName),
            "version": .string(plugins.configuration.datastoreVersion),
        ]
        return .object(document)
    }

    private static func module(
        _ item: JSONValue, _ verb: String, needsContents: Bool
    ) throws -> [String: JSONValue] {
        guard let module = item["module"]?.objectValue else {
            throw RPCFault.typeError("\(verb)(): a module must be an object with the member 'module'")
        }
        for name in ["name", "type"] + (needsContents ? ["contents"] : []) where module[name]?.stringValue == nil {
            throw RPCFault.typeError("\(verb)(): a module needs the text '\(name)'")
        }
        if let contents = module["contents"]?.stringValue, Base64.decode(contents) == nil {
            throw RPCFault.typeError("\(verb)(): a module's contents must be base64")
        }
        return module
    }

    /// The result without contents, which may be a secret.
    private static func result(
        _ module: [String: JSONValue], _ outcome: (status: String, message: String), _ now: Timestamp
    ) -> JSONValue {
        var result: [String: JSONValue] = [:]
        for name in [
            "type", "name", "datastore", "datastore_version", "tenant", "id", "md5", "auto_apply", "visible",
            "is_admin",
        ] {
            result[name] = module[name] ?? .null
        }
        result["status"] = .string(outcome.status)
        result["message"] = .string(outcome.message)
        result["created"] = .string(now.text)
        result["updated"] = .string(now.text)
        result["removed"] = .null
        result["contents"] = .null
        return .object(result)
    }
}
