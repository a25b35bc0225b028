// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// `module_list`, `module_apply` and `module_remove`.
///
/// Request: `{"include_contents"?}`, `{"modules": [{"module": module}]}`, or `{"module": {"module": module}}`; `name`, `type` and
///          `contents` (base64) are required for applying, `name` and `type` for removing.
/// Reply:   `module_list`, `module_apply`: one result a module, with `status` `OK` or `ERROR` and `message`; `module_remove`: null.
/// Source:  guest RPC of the reference service, modules.
struct ModuleVerbs: Sendable {
    let drivers: ModuleDrivers
    let records: ModuleRecords
    private let datastore: JSONValue

    init(plugins: GuestPlugins) {
        let configuration = plugins.configuration
        drivers = ModuleDrivers(plugins: plugins, files: ModuleFiles(root: configuration.dataDirectory))
        records = ModuleRecords(directory: configuration.state("modules"))
        datastore = [
            "name": .string(configuration.datastoreName), "version": .string(configuration.datastoreVersion),
        ]
    }

    func list(_ arguments: [String: JSONValue]) throws -> JSONValue {
        let isFull = arguments["include_contents"]?.boolValue ?? false
        return .array(
            try records.all().map { record in
                isFull ? .object(record) : .object(record.merging(["contents": .null]) { $1 })
            })
    }

    /// In the order that the modules ask for.
    func apply(
        _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext, now: Timestamp
    ) async throws -> JSONValue {
        guard let items = arguments["modules"]?.arrayValue else {
            throw RPCFault.typeError("module_apply() argument 'modules' must be a list")
        }
        let modules = try items.map { try Self.module($0, "module_apply", needsContents: true) }
        var results: [JSONValue] = []
        for module in Self.ordered(modules) {
            var outcome: (status: String, message: String)
            let id = module["id"]?.stringValue ?? ""
            let known = try id.isEmpty ? nil : records.find(id)
            do throws(PluginError) {
                try requireOwnFile(module, id)
                outcome = (
                    "OK",
                    try await drivers.apply(module, document(module), deadline: deadline, context: context)
                )
            } catch {
                outcome = ("ERROR", error.code == .invalidArgument ? error.message : "\(error)")
            }
            var result = Self.result(module, outcome, now)
            if let created = known?["created"] { result["created"] = created }
            results.append(.object(result))
            // What was effective before stays on record when its successor is not.
            guard !id.isEmpty, outcome.status == "OK" || known == nil else { continue }
            // Under another name it would be there twice.
            if let known, known["name"] != module["name"] || known["type"] != module["type"] {
                try? await drivers.remove(document(known), deadline: deadline, context: context)
            }
            result["contents"] = module["contents"] ?? .null
            try records.save(id, result)
        }
        return .array(results)
    }

    /// Two modules whose names become one file's would take it from each other.
    private func requireOwnFile(_ module: [String: JSONValue], _ id: String) throws(PluginError) {
        guard module["type"] == "file", let file = ModuleFiles.fileName(module["name"]?.stringValue ?? "") else {
            return
        }
        let others = (try? records.all()) ?? []
        guard
            let other = others.first(where: { other in
                other["type"] == "file" && other["status"] == "OK" && other["id"]?.stringValue != id
                    && ModuleFiles.fileName(other["name"]?.stringValue ?? "") == file
            })
        else { return }
        throw PluginError(
            .invalidArgument,
            "The module '\(other["id"]?.stringValue ?? "")' has the file '\(file)' already; rename one of them.")
    }

    func remove(
        _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext
    ) async throws -> JSONValue {
        let module = try Self.module(arguments["module"] ?? .null, "module_remove", needsContents: false)
        try await drivers.remove(document(module), deadline: deadline, context: context)
        if let id = module["id"]?.stringValue { try records.remove(id) }
        return .null
    }

    private static func ordered(_ modules: [[String: JSONValue]]) -> [[String: JSONValue]] {
        func rank(_ module: [String: JSONValue]) -> (Int, Int) {
            (module["priority_apply"]?.boolValue == true ? 0 : 1, module["apply_order"]?.intValue ?? 5)
        }
        // As they were sent where they ask for nothing else.
        return modules.enumerated().sorted { first, second in
            let (left, right) = (rank(first.element), rank(second.element))
            return left == right ? first.offset < second.offset : left < right
        }.map(\.element)
    }

    /// module-request.json.
    private func document(_ module: [String: JSONValue]) -> JSONValue {
        var document: [String: JSONValue] = [:]
        for name in ["id", "name", "type", "contents", "md5"] {
            if let value = module[name], value.stringValue != nil { document[name] = value }
        }
        document["id"] = document["id"] ?? ""
        document["contents"] = document["contents"] ?? ""
        document["datastore"] = datastore
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
    ) -> [String: JSONValue] {
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
        return result
    }
}
