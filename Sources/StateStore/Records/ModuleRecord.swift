// SPDX-License-Identifier: Apache-2.0

package import Model

/// One row of `modules`: contents that instances can be given.
package struct ModuleRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var type: String
    /// Base64.
    package var contents: String
    package var description: String?
    /// nil: every project's.
    package var projectID: String?
    /// nil: for every datastore, or every version of it.
    package var datastoreID: String?
    package var datastoreVersionID: String?
    /// Given to new instances by itself.
    package var isAutoApply = false
    package var isVisible = true
    /// Whether its contents may change while instances have it.
    package var isLiveUpdate = false
    /// Before others, whatever their order.
    package var isPriorityApply = false
    /// 0 to 9; lower ones first.
    package var applyOrder = 5
    /// Whether only administrators may change it or take it away.
    package var isAdmin = false
    /// Of the decoded contents, 32 hexadecimal digits.
    package var md5: String
    package var created: Timestamp
    package var updated: Timestamp
    /// From the joins; nil where there is no datastore or version.
    package var datastoreName: String?
    package var datastoreVersionName: String?

    package init(
        id: String, name: String, type: String, contents: String, md5: String, projectID: String?, created: Timestamp
    ) {
        self.id = id
        self.name = name
        self.type = type
        self.contents = contents
        self.md5 = md5
        self.projectID = projectID
        self.created = created
        updated = created
    }

    /// The word for what is not restricted. Source: modules of the reference service.
    package static let all = "all"

    /// What a guest is sent. Source: guest RPC of the reference service, module requests.
    package var request: JSONValue {
        [
            "module": [
                "id": .string(id), "type": .string(type), "name": .string(name),
                "tenant": .string(projectID ?? Self.all),
                "datastore": .string(datastoreName ?? Self.all),
                "datastore_version": .string(datastoreVersionName ?? Self.all), "contents": .string(contents),
                "md5": .string(md5), "auto_apply": .bool(isAutoApply), "visible": .bool(isVisible),
                "is_admin": .bool(isAdmin), "apply_order": .int(Int64(applyOrder)),
                "priority_apply": .bool(isPriorityApply),
            ]
        ]
    }

    /// Whether an instance of this project and version may be given it.
    package func fits(projectID: String, datastoreID: String, versionID: String) -> Bool {
        (self.projectID ?? projectID) == projectID && (self.datastoreID ?? datastoreID) == datastoreID
            && (datastoreVersionID ?? versionID) == versionID
    }

    /// Those of priority, then by order, then by name.
    package static func precedes(_ first: ModuleRecord, _ second: ModuleRecord) -> Bool {
        if first.isPriorityApply != second.isPriorityApply { return first.isPriorityApply }
        if first.applyOrder != second.applyOrder { return first.applyOrder < second.applyOrder }
        return first.name < second.name
    }
}

/// One row of `instance_modules` with its instance: who has a module, and which contents of it.
package struct ModuleInstance: Sendable, Hashable {
    package var id: String
    package var md5: String
    package var updated: Timestamp
}

/// How many live instances have the same contents of a module.
package struct ModuleCount: Sendable, Hashable {
    package var md5: String
    package var instances: Int
    package var oldest: Timestamp
    package var newest: Timestamp
}
