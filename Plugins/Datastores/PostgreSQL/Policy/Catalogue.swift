// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The parameters that tenants may set: what changes how the engine works, not who may log in, where it lives, or whether
/// data are safe.
///
/// Units are the engine's own, so an integer means the same here and in its manual. Source: `pg_settings` of PostgreSQL 15;
/// some ranges are narrower, so that the engine starts with every value.
enum Catalogue {
    static let settings: [Setting] =
        memory + connections + log + planner + workers + vacuum + statements + messages
    static let byName = Dictionary(settings.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    private static let greatest = Int(Int32.max)
    private static let pages = 1_073_741_823

    private static let memory = [
        Setting("shared_buffers", .integer(128...pages), .null, restart: true, "Memory of the shared cache, in 8 kB."),
        Setting("work_mem", .integer(64...greatest), .null, "Memory of one sort or hash, in kB."),
        Setting("maintenance_work_mem", .integer(1024...greatest), .null, "Memory of one maintenance job, in kB."),
        Setting("temp_buffers", .integer(100...pages), 1024, "Memory of a session's temporary tables, in 8 kB."),
        Setting("effective_cache_size", .integer(1...greatest), .null, "Size of all caches to the planner, in 8 kB."),
        Setting("hash_mem_multiplier", .float(1...1000), .double(2), "How much more than work_mem a hash may use."),
    ]

    private static let connections = [
        Setting("max_connections", .integer(20...10_000), .null, restart: true, "Clients that may be connected."),
        Setting(
            "max_prepared_transactions", .integer(0...10_000), 0, restart: true, "Prepared transactions at a time."),
        Setting(
            "max_locks_per_transaction", .integer(10...10_000), 64, restart: true,
            "Locks that room is made for, a transaction."),
        Setting(
            "tcp_keepalives_idle", .integer(0...greatest), 0, "Seconds of silence before a probe; 0: the system's."),
    ]

    private static let log = [
        Setting("max_wal_size", .integer(32...greatest), .null, "Size of the log that starts a checkpoint, in MB."),
        Setting("min_wal_size", .integer(32...greatest), .null, "Size of the log that is kept for reuse, in MB."),
        Setting("checkpoint_timeout", .integer(30...86_400), 300, "Seconds between checkpoints at most."),
        Setting("checkpoint_completion_target", .float(0...1), .double(0.9), "Share of them that a checkpoint takes."),
        Setting("wal_buffers", .integer(-1...262_143), -1, restart: true, "Memory of the log, in 8 kB; -1: by itself."),
        Setting("synchronous_commit", .choice(["on", "off", "local"]), "on", "Whether a commit waits for the log."),
    ]

    private static let planner = [
        Setting("random_page_cost", .float(0...1e6), .double(4), "What a page out of order costs."),
        Setting("seq_page_cost", .float(0...1e6), .double(1), "What a page in order costs."),
        Setting("default_statistics_target", .integer(1...10_000), 100, "How fine statistics of columns are."),
        Setting("effective_io_concurrency", .integer(0...1000), 1, "Reads that the disk does at a time."),
        Setting("jit", .boolean, false, "Whether expensive queries are compiled."),
    ]

    private static let workers = [
        Setting("max_worker_processes", .integer(8...1024), 8, restart: true, "Background processes at a time."),
        Setting("max_parallel_workers", .integer(0...1024), 8, "Of these, for queries."),
        Setting("max_parallel_workers_per_gather", .integer(0...1024), 2, "Of these, for one part of a query."),
        Setting(
            "max_standby_streaming_delay", .integer(-1...greatest), 30_000, "Milliseconds a replica lags for reads."),
    ]

    private static let vacuum = [
        Setting("autovacuum", .boolean, true, "Whether tables are cleaned in the background."),
        Setting("autovacuum_max_workers", .integer(1...100), 3, restart: true, "Tables cleaned at a time."),
        Setting("autovacuum_naptime", .integer(1...2_147_483), 60, "Seconds between looks for tables to clean."),
        Setting(
            "autovacuum_vacuum_scale_factor", .float(0...100), .double(0.2), "Share of dead rows that is too much."),
        Setting("autovacuum_analyze_scale_factor", .float(0...100), .double(0.1), "The same, for new statistics."),
    ]

    private static let statements = [
        Setting("statement_timeout", .integer(0...greatest), 0, "Milliseconds that a statement may take; 0: no limit."),
        Setting("lock_timeout", .integer(0...greatest), 0, "Milliseconds that a lock is waited for; 0: no limit."),
        Setting(
            "idle_in_transaction_session_timeout", .integer(0...greatest), 0,
            "Milliseconds that a transaction may idle; 0: no limit."),
        Setting("deadlock_timeout", .integer(1...greatest), 1000, "Milliseconds before a deadlock is looked for."),
        Setting("timezone", .timeZone, "UTC", "Time zone of sessions."),
        Setting(
            "default_transaction_isolation",
            .choice(["serializable", "repeatable read", "read committed", "read uncommitted"]), "read committed",
            "Isolation of transactions."),
    ]

    private static let messages = [
        Setting(
            "log_min_duration_statement", .integer(-1...greatest), -1, "Milliseconds of a slow statement; -1: none."),
        Setting("log_statement", .choice(["none", "ddl", "mod", "all"]), "none", "Which statements are logged."),
        Setting("log_connections", .boolean, false, "Whether logins are logged."),
        Setting("log_disconnections", .boolean, false, "Whether logouts are logged."),
        Setting("log_lock_waits", .boolean, false, "Whether long waits for locks are logged."),
        Setting("log_temp_files", .integer(-1...greatest), -1, "Temporary files that are logged, in kB; -1: none."),
        Setting("track_io_timing", .boolean, false, "Whether reads and writes are timed."),
    ]
}
