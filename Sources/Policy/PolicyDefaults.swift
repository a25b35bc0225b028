// SPDX-License-Identifier: Apache-2.0

/// The rules that hold until an operator's file says otherwise.
///
/// Names and texts are the reference service's; `mgmt:plugin:*`, `instance:reset_password`, `security_group:*`,
/// `security_group_rule:*`, `instance:events` and `event:index` are this service's own.
/// Source: REST contract §1.12.
package enum PolicyDefaults {
    /// Name to text, in the order of the sample file.
    package static let rules: [(name: String, text: String)] =
        [
            (administrator, "role:admin"),
            ("admin", "role:admin or is_admin:True"),
            ("admin_or_owner", "rule:admin or project_id:%(tenant)s"),
            (fallback, "rule:admin_or_owner"),
        ]
        + owners.map { ($0, "rule:admin_or_owner") } + administrators.map { ($0, "rule:admin") }
        + everybody.map { ($0, "") }

    /// Says who is an administrator at all; asked before any other rule.
    package static let administrator = "context_is_admin"
    /// What a rule without a text of its own says.
    package static let fallback = "default"

    private static func names(_ noun: String, _ verbs: String) -> [String] {
        verbs.split(separator: " ").map { "\(noun):\($0)" }
    }

    private static let owners =
        names(
            "instance",
            """
            create delete force_delete index detail show update edit restart resize_volume resize_flavor reset_password \
            promote_to_replica_source eject_replica_source configuration guest_log_list backups module_list module_apply \
            module_remove events
            """)
        + names("instance:extension:database", "create delete index show")
        + names("instance:extension:user", "create delete index show update update_all")
        + names("instance:extension:user_access", "update delete index")
        + names("instance:extension:root", "create delete index")
        + names("backup", "create delete index show") + names("backup_strategy", "create index delete")
        + names("cluster", "create delete force_delete index show show_instance action")
        + names("cluster:extension:root", "create delete index")
        + names("configuration", "create delete index show instances update edit")
        + names("configuration-parameter", "index show index_by_version show_by_version")
        + names("module", "create delete index show instances update reapply") + names("limits", "index")
        + names("security_group", "index show") + names("security_group_rule", "create delete")
        + names("event", "index")

    private static let administrators = [
        "instance:reset_status", "backup:index:all_projects", "cluster:reset-status", "datastore:delete",
        "mgmt:plugin:index", "mgmt:plugin:show",
    ]

    private static let everybody =
        names(
            "datastore",
            """
            index show version_show version_show_by_uuid version_index list_associated_flavors \
            list_associated_volume_types
            """) + names("flavor", "index show")
}
