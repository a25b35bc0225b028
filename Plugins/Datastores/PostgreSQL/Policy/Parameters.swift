// SPDX-License-Identifier: Apache-2.0

/// What a configuration group may set: what changes how the engine works, not who may log in, where it lives, or whether data
/// are safe.
///
/// Units are the engine's own, so an integer means the same here and in its manual. Source: `pg_settings` of PostgreSQL 15.
enum Parameters {
    static func named(_ name: String) -> Parameter? { byName[name] }

    private static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    static let all: [Parameter] = memory + connections + log + planner + writing + vacuum + statements + messages

    private static let greatest = Int(Int32.max)

    private static let memory: [Parameter] = [
        integer("shared_buffers", 16...1_073_741_823, isStatic: true, "Memory for the shared cache, in 8 kB"),
        integer("work_mem", 64...greatest, "Memory for one sort or hash, in kB"),
        integer("maintenance_work_mem", 1024...greatest, "Memory for one maintenance operation, in kB"),
        integer("temp_buffers", 100...1_073_741_823, "Memory for a session's temporary tables, in 8 kB"),
        integer("effective_cache_size", 1...greatest, "What the planner takes for the size of all caches, in 8 kB"),
        float("hash_mem_multiplier", 1...1000, "How much more than work_mem a hash may use"),
    ]

    private static let connections: [Parameter] = [
        integer("max_connections", 10...10_000, isStatic: true, "The most clients at a time"),
        integer("max_prepared_transactions", 0...10_000, isStatic: true, "The most prepared transactions at a time"),
        integer(
            "max_locks_per_transaction", 10...greatest, isStatic: true, "Locks that room is made for, a transaction"),
        integer("tcp_keepalives_idle", 0...greatest, "Seconds of silence before a keepalive; 0: the system's choice"),
    ]

    private static let log: [Parameter] = [
        integer("max_wal_size", 2...greatest, "Size of the log that starts a checkpoint, in MB"),
        integer("min_wal_size", 32...greatest, "Size to which the log is kept for reuse, in MB"),
        integer("checkpoint_timeout", 30...86_400, "The most seconds between checkpoints"),
        float("checkpoint_completion_target", 0...1, "Share of that time over which a checkpoint is spread"),
        integer("wal_buffers", -1...262_143, isStatic: true, "Memory for the log, in 8 kB; -1: from shared_buffers"),
        word("synchronous_commit", ["on", "off", "local"], "Whether a commit waits for the log"),
    ]

    private static let planner: [Parameter] = [
        float("random_page_cost", 0...1e6, "What a page out of order costs the planner"),
        float("seq_page_cost", 0...1e6, "What a page in order costs the planner"),
        integer("default_statistics_target", 1...10_000, "How fine statistics of columns are"),
        integer("effective_io_concurrency", 0...1000, "Reads that a disk does at a time"),
        boolean("jit", "Whether expensive queries are compiled"),
    ]

    private static let writing: [Parameter] = [
        integer("max_worker_processes", 8...1024, isStatic: true, "The most background processes"),
        integer("max_parallel_workers", 0...1024, "The most background processes for queries"),
        integer("max_parallel_workers_per_gather", 0...1024, "The same for one part of a query"),
        integer("max_standby_streaming_delay", -1...greatest, "Milliseconds a replica waits for its queries"),
    ]

    private static let vacuum: [Parameter] = [
        boolean("autovacuum", "Whether tables are cleaned in the background"),
        integer("autovacuum_max_workers", 1...100, isStatic: true, "The most tables cleaned at a time"),
        integer("autovacuum_naptime", 1...2_147_483, "Seconds between looks for tables to clean"),
        float("autovacuum_vacuum_scale_factor", 0...100, "Share of dead rows that makes a table due"),
        float("autovacuum_analyze_scale_factor", 0...100, "Share of changed rows that makes statistics due"),
    ]

    private static let statements: [Parameter] = [
        integer("statement_timeout", 0...greatest, "Milliseconds a statement may take; 0: no limit"),
        integer("lock_timeout", 0...greatest, "Milliseconds a lock may be waited for; 0: no limit"),
        integer(
            "idle_in_transaction_session_timeout", 0...greatest, "Milliseconds of an idle transaction; 0: no limit"),
        integer("deadlock_timeout", 1...greatest, "Milliseconds before a lock is looked at for a deadlock"),
        text("timezone", "Time zone of sessions"),
        word(
            "default_transaction_isolation",
            ["serializable", "repeatable read", "read committed", "read uncommitted"], "Isolation of transactions"),
    ]

    private static let messages: [Parameter] = [
        integer("log_min_duration_statement", -1...greatest, "Milliseconds that make a statement slow; -1: no log"),
        word("log_statement", ["none", "ddl", "mod", "all"], "Which statements are logged"),
        boolean("log_connections", "Whether logins are logged"),
        boolean("log_disconnections", "Whether logouts are logged"),
        boolean("log_lock_waits", "Whether long waits for locks are logged"),
        integer("log_temp_files", -1...greatest, "Size of temporary files that are logged, in kB; -1: none"),
        boolean("track_io_timing", "Whether reads and writes are timed"),
    ]

    private static func boolean(_ name: String, _ summary: String) -> Parameter {
        Parameter(name: name, kind: .boolean, summary: summary)
    }

    private static func integer(
        _ name: String, _ range: ClosedRange<Int>, isStatic: Bool = false, _ summary: String
    ) -> Parameter {
        Parameter(name: name, kind: .integer(range), isStatic: isStatic, summary: summary)
    }

    private static func float(_ name: String, _ range: ClosedRange<Double>, _ summary: String) -> Parameter {
        Parameter(name: name, kind: .float(range), summary: summary)
    }

    private static func word(_ name: String, _ words: [String], _ summary: String) -> Parameter {
        Parameter(name: name, kind: .word(words), summary: summary)
    }

    private static func text(_ name: String, _ summary: String) -> Parameter {
        Parameter(name: name, kind: .text, summary: summary)
    }
}
