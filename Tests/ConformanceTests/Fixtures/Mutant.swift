// SPDX-License-Identifier: Apache-2.0

import Testing

/// One deliberate fault of the example plugin, and the check that must find it.
struct Mutant: Sendable, CustomTestStringConvertible {
    /// `-DMUTANT_<name>` of the source.
    var name: String
    /// The check that must fail.
    var check: String
    /// Checks that fail because of the same fault.
    var following: Set<String> = []
    var repeats = 60

    var testDescription: String { "\(name) → \(check)" }

    init(_ name: String, _ check: String, following: Set<String> = [], repeats: Int = 60) {
        self.name = name
        self.check = check
        self.following = following
        self.repeats = repeats
    }

    /// Faults of the code, by what the kit looks at.
    static let all: [Mutant] = [
        Mutant("constructor_aborts", "load.map", following: ["elf.needed"]),
        Mutant("no_table", "entry.table"),
        Mutant("magic", "entry.magic"),
        Mutant("plugin_size", "entry.size"),
        Mutant("abi", "entry.abi"),
        Mutant("flags", "entry.flags"),
        Mutant("any_major", "entry.major"),
        Mutant("other_id", "manifest.id"),
        Mutant("other_version", "manifest.version"),
        Mutant("lacks_extension", "manifest.provides"),
        Mutant("answers_anything", "extension.unknown"),
        Mutant("extension_changes", "extension.constant"),
        Mutant("table_size", "table.size"),
        Mutant("no_status", "table.functions"),
        Mutant("more_exports", "symbols.exports"),
        Mutant("hidden_requirement", "manifest.requires"),
        Mutant("undeclared_word", "routes.words"),
        Mutant("route_schema", "routes.schemas"),
        Mutant("init_fails", "init.status"),
        Mutant("init_thread", "threads.spawned-in-init"),
        Mutant("init_slow", "init.duration"),
        Mutant("init_descriptor", "init.descriptors"),
        Mutant("init_umask", "init.process-state"),
        Mutant("init_fork", "init.children"),
        Mutant("deinit_hangs", "deinit.clean"),
        Mutant("deep", "input.deep-json"),
        Mutant("any_text", "input.malformed", following: ["input.types", "input.deep-json"]),
        Mutant("any_type", "input.types"),
        Mutant("exits", "input.malformed"),
        Mutant("crash_on_quote", "input.hostile-names"),
        Mutant("path_from_name", "input.hostile-names"),
        Mutant("crash_on_large", "input.large"),
        Mutant("ignores_cancel", "call.cancel"),
        Mutant(
            "ignores_deadline", "call.deadline",
            following: ["input.large", "input.malformed", "input.types", "input.hostile-names"]),
        Mutant("never_completes", "call.complete"),
        Mutant("completes_twice", "call.complete-once"),
        Mutant("late_emit", "call.emit-after-return"),
        Mutant("late_use", "call.use-after-return"),
        Mutant("unknown_status", "errors.unknown-status"),
        Mutant("no_message", "errors.message"),
        Mutant("bad_details", "errors.details"),
        Mutant("secret_in_message", "errors.secrets"),
        Mutant("log_fields", "services.log"),
        Mutant("cut_output", "json.malformed-output"),
        Mutant("wrong_output", "json.schema"),
        Mutant("always_healthy", "datastore.status"),
        Mutant("writes_too_far", "datastore.status"),
        Mutant("not_idempotent", "datastore.idempotent.create_users"),
        Mutant("delete_not_idempotent", "datastore.idempotent.delete_user"),
        Mutant("forgets_users", "datastore.listed"),
        Mutant("finds_nobody", "datastore.absent"),
        Mutant("table_written", "tables.constant", following: ["table.flags"]),
        Mutant("leak", "leak.memory", repeats: 600),
        Mutant("leak_memory", "leak.memory", repeats: 600),
        Mutant("leak_descriptor", "leak.descriptors"),
        Mutant("leak_thread", "leak.threads"),
        Mutant("policy_reads", "policy.pure"),
        Mutant("policy_varies", "policy.pure"),
        Mutant("parameter_twice", "policy.parameters"),
        Mutant("write_error", "backup.write-error"),
        Mutant("short_write", "backup.short-writes"),
        Mutant("takes_garbage", "backup.restore-garbage"),
        Mutant("undeclared_increments", "manifest.backup-kinds"),
        Mutant("takes_no_parent", "backup.incremental", following: ["manifest.backup-kinds"]),
        Mutant("route_status", "json.schema"),
        Mutant("route_internal", "routes.answers"),
        Mutant("sample_refused", "actions.sample"),
        Mutant("action_crash", "actions.hostile"),
        Mutant("read_only_changes", "actions.read-only"),
        Mutant("module_not_idempotent", "module.idempotent"),
    ]
}
