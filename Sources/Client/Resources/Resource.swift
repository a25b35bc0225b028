// SPDX-License-Identifier: Apache-2.0

/// A collection of the API: where it is, and what of it a list shows.
package struct Resource: Sendable {
    /// One of them in a sentence.
    package var noun: String
    package var nouns: String
    /// Below `/v1.0/{project}`.
    package var path: String
    /// The member that holds a list's items.
    package var plural: String
    /// The member that holds one of them.
    package var single: String
    package var columns: [Column]
    /// Whether every id is a UUID, so that one needs no look-up.
    package var idsAreUUIDs = true
    /// nil where nothing takes time.
    package var rule: StatusRule?
}

extension Resource {
    package static let instance = Resource(
        noun: "instance", nouns: "instances", path: "/instances", plural: "instances", single: "instance",
        columns: [
            Column("ID", "id"), Column("Name", "name"), Column("Datastore", "datastore.type"),
            Column("Version", "datastore.version"), Column("Status", "status"),
            Column("Operating Status", "operating_status"), Column("Addresses", "addresses|ip"),
            Column("Flavor", "flavor.id"), Column("GiB", "volume.size"), Column("Replica of", "replica_of.id"),
        ],
        rule: .instance)

    package static let backup = Resource(
        noun: "backup", nouns: "backups", path: "/backups", plural: "backups", single: "backup",
        columns: [
            Column("ID", "id"), Column("Name", "name"), Column("Instance ID", "instance_id"),
            Column("Status", "status"), Column("GB", "size"), Column("Parent ID", "parent_id"),
            Column("Updated", "updated"),
        ],
        rule: .backup)

    package static let configuration = Resource(
        noun: "configuration group", nouns: "configuration groups", path: "/configurations", plural: "configurations",
        single: "configuration",
        columns: [
            Column("ID", "id"), Column("Name", "name"), Column("Description", "description"),
            Column("Datastore", "datastore_name"), Column("Version", "datastore_version_name"),
        ])

    package static let datastore = Resource(
        noun: "datastore", nouns: "datastores", path: "/datastores", plural: "datastores", single: "datastore",
        columns: [Column("ID", "id"), Column("Name", "name"), Column("Versions", "versions")])

    package static let flavor = Resource(
        noun: "flavor", nouns: "flavors", path: "/flavors", plural: "flavors", single: "flavor",
        columns: [
            Column("ID", "id|str_id"), Column("Name", "name"), Column("RAM MiB", "ram"), Column("vCPUs", "vcpus"),
            Column("Disk", "disk"), Column("Ephemeral", "ephemeral"),
        ],
        idsAreUUIDs: false)

    package static let module = Resource(
        noun: "module", nouns: "modules", path: "/modules", plural: "modules", single: "module",
        columns: [
            Column("ID", "id"), Column("Name", "name"), Column("Type", "type"), Column("Datastore", "datastore"),
            Column("Version", "datastore_version"), Column("Auto Apply", "auto_apply"),
            Column("Apply Order", "apply_order"), Column("Visible", "visible"),
        ])

    package static let cluster = Resource(
        noun: "cluster", nouns: "clusters", path: "/clusters", plural: "clusters", single: "cluster",
        columns: [
            Column("ID", "id"), Column("Name", "name"), Column("Datastore", "datastore.type"),
            Column("Version", "datastore.version"), Column("Task", "task.name"),
        ],
        rule: .cluster)
}
