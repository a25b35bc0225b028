// SPDX-License-Identifier: Apache-2.0

/// A piece of the text that is translated, or a constant.
typealias XMLBytes = UnsafeBufferPointer<UInt8>

extension XMLBytes {
    init(_ text: StaticString) { self.init(start: text.utf8Start, count: text.utf8CodeUnitCount) }

    func isEqual(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }

    func hasSuffix(_ text: StaticString) -> Bool {
        let start = count - text.utf8CodeUnitCount
        return start >= 0 && XMLBytes(rebasing: self[start...]).isEqual(text)
    }
}

/// What the API's XML says by an attribute, and what it calls the elements of lists.
enum XMLVocabulary {
    static let namespace: StaticString = "http://docs.openstack.org/database/api/v1.0"

    /// Members that are attributes of `element`; all others are children. Source: XML representation, table 3.
    ///
    /// - Parameter isVersions: Whether the document is one of the API's own versions: a datastore's version has the same
    ///   name and children only.
    static func attributes(of element: XMLBytes, isVersions: Bool) -> [StaticString] {
        if isVersions, element.isEqual("version") { return versionAttributes }
        return table.first { element.isEqual($0.element) }?.attributes ?? []
    }

    private static let versionAttributes: [StaticString] = ["id", "status", "updated"]

    private static let table: [(element: StaticString, attributes: [StaticString])] = [
        ("link", ["href", "rel"]),
        (
            "instance",
            [
                "status", "hostname", "id", "name", "created", "updated", "host", "server_id", "local_id",
                "task_description", "deleted", "deleted_at", "tenant_id",
            ]
        ),
        ("flavor", ["id", "ram", "name"]),
        ("volume", ["size", "used", "id"]),
        ("database", ["name"]),
        ("user", ["name", "password", "host"]),
        ("configuration", ["id", "name", "description", "datastore_version_id"]),
        ("account", ["id", "num_instances"]),
        ("security_group", ["id", "name", "description", "user", "tenant_id"]),
        ("security_group_rule", ["id", "group_id", "protocol", "from_port", "to_port", "cidr"]),
        ("security_group_instance_association", ["id", "security_group_id", "instance_id"]),
        ("host", ["instanceCount", "name", "usedRAM", "totalRAM", "percentUsed"]),
        ("capacity", ["available", "total"]),
        ("provision", ["available", "total", "percent"]),
        ("device", ["used", "name", "type"]),
        ("quotas", ["instances", "volumes", "backups"]),
        ("guest_status", ["state_description"]),
        ("diagnostics", ["vmHwm", "vmPeak", "vmSize", "threads", "version", "vmRss", "fdSize"]),
        ("root_history", ["enabled", "id", "user"]),
    ]

    /// An element of the list `name`: without its last `s`, or `item`.
    static func element(of name: XMLBytes) -> XMLBytes {
        guard name.count > 1, name.last == UInt8(ascii: "s") else { return XMLBytes("item") }
        return XMLBytes(rebasing: name.dropLast())
    }

    /// Whether a member holds a time: a text that looks like one stays what it is elsewhere.
    static func isTime(_ name: XMLBytes) -> Bool {
        name.isEqual("created") || name.isEqual("updated") || name.isEqual("enabled") || name.hasSuffix("_at")
            || name.hasSuffix("_created") || name.hasSuffix("_updated")
    }
}
