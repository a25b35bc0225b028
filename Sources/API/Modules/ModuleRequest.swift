// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// What a request makes of a module. Source: REST contract §12, and modules of the reference service.
struct ModuleRequest: Sendable {
    private let members: JSONValue

    private static let common: [String: Schema] = [
        "name": .nonEmptyText, "type": .any, "module_type": .nonEmptyText, "contents": .string(minimum: 1),
        "description": .oneOf([.string(), .null]),
        "datastore": .object(["type": .nonEmptyText, "version": .nonEmptyText]),
        "auto_apply": .zeroOrOne, "all_tenants": .zeroOrOne, "visible": .zeroOrOne, "live_update": .zeroOrOne,
        "priority_apply": .zeroOrOne, "apply_order": .integer(minimum: 0, maximum: 9), "full_access": .zeroOrOne,
    ]

    static let createSchema = Schema.object(
        ["module": .object(common, required: ["name", "module_type", "contents"])], required: ["module"])
    static let updateSchema = Schema.object(
        [
            "module": .object(
                common.merging(["all_datastores": .zeroOrOne, "all_datastore_versions": .zeroOrOne]) { $1 })
        ], required: ["module"])

    init(_ body: JSONValue, _ schema: Schema) throws {
        try schema.validate(body)
        members = body["module"] ?? [:]
    }

    /// A new module.
    func create(_ call: APICall, _ transaction: any StateTransaction) throws -> ModuleRecord {
        let contents = members["contents"]?.stringValue ?? ""
        var module = ModuleRecord(
            id: call.services.random.uuid(), name: members["name"]?.stringValue ?? "", type: "", contents: contents,
            md5: "", projectID: call.context.projectID, created: call.now)
        try change(&module, call, transaction)
        return module
    }

    /// Puts what the request has into the module.
    func change(_ module: inout ModuleRecord, _ call: APICall, _ transaction: any StateTransaction) throws {
        if let name = members["name"]?.stringValue { module.name = name }
        if let type = members["module_type"]?.stringValue {
            guard call.configuration.moduleTypes.contains(type) else {
                throw APIFault(.moduleTypeNotFound, "Module type '\(type)' was not found.")
            }
            module.type = type
        }
        if let contents = members["contents"]?.stringValue { try Self.set(contents, &module) }
        if let description = members["description"] { module.description = description.stringValue }
        if let all = flag("all_tenants") { module.projectID = all ? nil : module.projectID ?? call.context.projectID }
        module.isAutoApply = flag("auto_apply") ?? module.isAutoApply
        module.isVisible = flag("visible") ?? module.isVisible
        module.isLiveUpdate = flag("live_update") ?? module.isLiveUpdate
        module.isPriorityApply = flag("priority_apply") ?? module.isPriorityApply
        module.applyOrder = members["apply_order"]?.intValue ?? module.applyOrder
        try setDatastore(&module, transaction)
    }

    /// Throws 403 unless the caller may have a module like this, 400 for what contradicts itself; says whose it is to be.
    func checkAccess(_ module: inout ModuleRecord, _ action: String, wasAdmin: Bool, _ call: APICall) throws {
        var options: [String] = []
        if module.projectID == nil { options.append("Tenant: \(ModuleRecord.all)") }
        if module.isAutoApply { options.append("Auto: True") }
        if !module.isVisible { options.append("Visible: False") }
        if module.isPriorityApply { options.append("Priority: True") }
        let fullAccess = flag("full_access")
        if let fullAccess {
            guard !fullAccess || options.isEmpty else {
                throw APIFault(400, "Cannot make module full access: (\(options.joined(separator: ", ")))")
            }
            options.append("Full Access: \(fullAccess ? "True" : "False")")
        }
        try Self.requireAdmin(wasAdmin && options.isEmpty ? ["Module is an admin module"] : options, action, call)
        module.isAdmin = fullAccess.map { !$0 } ?? (wasAdmin || call.context.isAdmin)
    }

    /// Throws 403 for options that only administrators have.
    static func requireAdmin(_ options: [String], _ action: String, _ call: APICall) throws(APIFault) {
        guard !options.isEmpty, !call.context.isAdmin else { return }
        throw APIFault(
            .moduleAccessForbidden,
            "You must be admin to \(action) a module with these options. (\(options.joined(separator: ", ")))")
    }

    private func flag(_ name: String) -> Bool? { members[name]?.intValue.map { $0 != 0 } }

    private static func set(_ contents: String, _ module: inout ModuleRecord) throws(APIFault) {
        let text = String(contents.filter { !$0.isWhitespace })
        guard let bytes = Base64.decode(text) else {
            throw APIFault(400, "The contents of a module must be Base64.")
        }
        module.contents = text
        module.md5 = MD5.digits(bytes)
    }

    private func setDatastore(_ module: inout ModuleRecord, _ transaction: any StateTransaction) throws {
        if flag("all_datastores") == true {
            (module.datastoreID, module.datastoreVersionID) = (nil, nil)
            (module.datastoreName, module.datastoreVersionName) = (nil, nil)
        }
        if flag("all_datastore_versions") == true {
            (module.datastoreVersionID, module.datastoreVersionName) = (nil, nil)
        }
        let given = members["datastore"]
        let (type, version) = (given?["type"]?.stringValue, given?["version"]?.stringValue)
        guard type != nil || version != nil else { return }
        guard let named = type ?? module.datastoreID else {
            throw APIFault(400, "Please specify datastore. A version without one says nothing.")
        }
        let datastore = try DatastoreLookup.datastore(named, transaction)
        if datastore.id != module.datastoreID { (module.datastoreVersionID, module.datastoreVersionName) = (nil, nil) }
        (module.datastoreID, module.datastoreName) = (datastore.id, datastore.name)
        guard let version else { return }
        let found = try DatastoreLookup.version(version, of: datastore, transaction)
        (module.datastoreVersionID, module.datastoreVersionName) = (found.id, found.name)
    }
}
