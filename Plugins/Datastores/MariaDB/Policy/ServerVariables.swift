// SPDX-License-Identifier: Apache-2.0

/// The server variables that a configuration group may set. Source: MariaDB 10.11, server system variables.
enum ServerVariables {
    static let all: [ServerVariable] = connections + memory + storage + behaviour + logs

    static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    private static let connections = [
        ServerVariable("max_connections", .integer(10...100_000), "Clients that may be connected."),
        ServerVariable("max_user_connections", .integer(0...100_000), "Clients of one user; 0 for no limit."),
        ServerVariable(
            "max_connect_errors", .integer(1...4_294_967_295), "Failed logins after which a host is blocked."),
        ServerVariable("connect_timeout", .integer(2...31_536_000), "Seconds that a login may take."),
        ServerVariable("wait_timeout", .integer(1...31_536_000), "Seconds after which an idle client is sent away."),
        ServerVariable("interactive_timeout", .integer(1...31_536_000), "The same for interactive clients."),
        ServerVariable("net_read_timeout", .integer(1...31_536_000), "Seconds to wait for more of a request."),
        ServerVariable("net_write_timeout", .integer(1...31_536_000), "Seconds to wait for a client to take more."),
        ServerVariable("max_allowed_packet", .integer(1024...1_073_741_824), "Bytes of one request or row."),
        ServerVariable("thread_cache_size", .integer(0...16384), "Threads kept for new clients."),
        ServerVariable("back_log", .integer(1...65535), isStatic: true, "Connections that wait to be taken."),
    ]

    private static let memory = [
        ServerVariable("innodb_buffer_pool_size", .integer(5_242_880...(1 << 50)), "Bytes of cached pages."),
        ServerVariable("sort_buffer_size", .integer(1024...4_294_967_295), "Bytes of one sort."),
        ServerVariable("join_buffer_size", .integer(128...4_294_967_295), "Bytes of one join without an index."),
        ServerVariable("read_buffer_size", .integer(8192...2_147_483_647), "Bytes of one sequential scan."),
        ServerVariable("read_rnd_buffer_size", .integer(1...2_147_483_647), "Bytes of one read in sorted order."),
        ServerVariable("tmp_table_size", .integer(1024...(1 << 40)), "Bytes of a temporary table in memory."),
        ServerVariable("max_heap_table_size", .integer(16384...(1 << 40)), "Bytes of a MEMORY table."),
        ServerVariable("table_open_cache", .integer(1...1_048_576), "Open tables that are kept."),
        ServerVariable("table_definition_cache", .integer(400...2_097_152), "Definitions of tables that are kept."),
        ServerVariable("key_buffer_size", .integer(0...(1 << 40)), "Bytes of cached index blocks of MyISAM."),
    ]

    private static let storage = [
        ServerVariable("innodb_flush_log_at_trx_commit", .integer(0...3), "What a commit waits for."),
        ServerVariable("innodb_lock_wait_timeout", .integer(0...100_000_000), "Seconds that a row lock is waited for."),
        ServerVariable("innodb_io_capacity", .integer(100...1_000_000_000), "Background writes a second."),
        ServerVariable(
            "innodb_log_file_size", .integer(4_194_304...(1 << 39)), isStatic: true, "Bytes of the redo log."),
        ServerVariable(
            "innodb_read_io_threads", .integer(1...64), "Threads that read pages."),
        ServerVariable("innodb_file_per_table", .boolean, "Each new table has a file of its own."),
        ServerVariable("innodb_strict_mode", .boolean, "Doubtful table options are errors."),
        ServerVariable("sync_binlog", .integer(0...4_294_967_295), "Commits between syncs of the binary log."),
    ]

    private static let behaviour = [
        ServerVariable(
            "transaction_isolation",
            .choice(["READ-UNCOMMITTED", "READ-COMMITTED", "REPEATABLE-READ", "SERIALIZABLE"]), isStatic: true,
            "What transactions see of each other."),
        ServerVariable("sql_mode", .text, "Modes of SQL, with commas between them."),
        ServerVariable("character_set_server", .text, "Character set of new databases."),
        ServerVariable("collation_server", .text, "Collation of new databases."),
        ServerVariable("event_scheduler", .choice(["ON", "OFF"]), "Whether events run."),
        ServerVariable("group_concat_max_len", .integer(4...1_073_741_824), "Bytes of a GROUP_CONCAT."),
        ServerVariable("lock_wait_timeout", .integer(0...31_536_000), "Seconds that a table lock is waited for."),
        ServerVariable("max_statement_time", .float(0...31_536_000), "Seconds of a statement; 0 for no limit."),
        ServerVariable("lower_case_table_names", .integer(0...2), isStatic: true, "How table names are compared."),
        ServerVariable("local_infile", .boolean, "Clients may load files of theirs."),
    ]

    private static let logs = [
        ServerVariable("long_query_time", .float(0...31_536_000), "Seconds of a slow statement."),
        ServerVariable("log_queries_not_using_indexes", .boolean, "Statements without an index count as slow."),
        ServerVariable("min_examined_row_limit", .integer(0...4_294_967_295), "Rows under which none counts as slow."),
        ServerVariable("log_warnings", .integer(0...9), "How much the error log holds."),
    ]
}
