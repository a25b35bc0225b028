// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The engine's settings: for a size, and as the text of an option file.
enum Settings {
    /// Settings for an instance of `memoryMiB`, in the order they are written.
    ///
    /// Shape: the buffer pool gets half of the memory below 1 GiB and 65 % from there on; what is left holds the engine
    /// (about 60 MiB), the threads of its connections, and the page cache that the memory cgroup charges too.
    static func values(memoryMiB: Int) -> [(name: String, value: String)] {
        let pool = memoryMiB < 1024 ? memoryMiB / 2 : memoryMiB * 65 / 100
        let isSmall = memoryMiB < 1024
        return [
            ("character_set_server", "utf8mb4"),
            ("collation_server", "utf8mb4_general_ci"),
            ("skip_name_resolve", "ON"),
            ("performance_schema", "OFF"),
            ("innodb_buffer_pool_size", "\(pool)M"),
            ("innodb_log_file_size", "\(logFileMiB(memoryMiB: memoryMiB))M"),
            ("max_connections", String(min(max(memoryMiB * 100 / 512, 40), 5000))),
            ("thread_cache_size", isSmall ? "16" : "64"),
            ("table_open_cache", isSmall ? "400" : "2000"),
            ("sort_buffer_size", isSmall ? "512K" : "2M"),
            ("tmp_table_size", isSmall ? "8M" : "32M"),
            ("max_heap_table_size", isSmall ? "8M" : "32M"),
            ("max_allowed_packet", "64M"),
            ("key_buffer_size", isSmall ? "1M" : "8M"),
            ("aria_pagecache_buffer_size", isSmall ? "8M" : "32M"),
            ("aria_log_file_size", "8M"),
        ]
    }

    /// Small instances keep the template's log, so that their first start has nothing to resize.
    static func logFileMiB(memoryMiB: Int) -> Int {
        switch memoryMiB {
        case ..<2048: templateLogFileMiB
        case ..<8192: 64
        default: 256
        }
    }

    /// Size of the log that `initialize` makes.
    static let templateLogFileMiB = 16

    /// Settings that the plugin decides: paths, identity, and what would change who may log in.
    static let fixed: Set<String> = [
        "basedir", "bind_address", "general_log_file", "slow_query_log_file", "datadir", "ignore_db_dirs",
        "init_connect", "init_file", "innodb_data_home_dir",
        "innodb_data_file_path", "innodb_log_group_home_dir", "innodb_undo_directory", "log_error", "pid_file",
        "plugin_dir", "plugin_load", "plugin_load_add", "port", "secure_file_priv", "server_id", "skip_grant_tables",
        "skip_name_resolve", "skip_networking", "socket", "tmpdir", "user",
    ]

    /// The settings of a configuration group in the engine's spelling.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming a setting that cannot be written, or that is not a tenant's.
    static func overrides(_ values: [String: JSON]) throws -> [(name: String, value: String)] {
        try values.sorted { $0.key < $1.key }.map { key, value in
            let name = spelled(key)
            guard !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy(isNameByte) else {
                throw PluginFailure(.invalidArgument, "The setting '\(key)' is not the name of a setting.")
            }
            guard !fixed.contains(name) else {
                throw PluginFailure(.invalidArgument, "The setting '\(key)' cannot be changed.")
            }
            return (name, try text(of: value, for: key))
        }
    }

    /// A setting's name in the engine's spelling.
    static func spelled(_ name: String) -> String { String(name.map { $0 == "-" ? "_" : $0 }).lowercased() }

    /// The values of an option file that `group` wrote; of two equal names the last counts.
    static func parsed(_ text: String) -> [String: String] {
        let pairs = text.split(whereSeparator: \.isNewline).compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].last == " ", parts[1].first == " " else { return nil }
            return (String(parts[0].dropLast()), unquoted(parts[1].dropFirst()))
        }
        return Dictionary(pairs, uniquingKeysWith: { _, last in last })
    }

    private static func unquoted(_ value: Substring) -> String {
        guard value.first == "\"", value.count >= 2 else { return String(value) }
        var result = ""
        var isEscaped = false
        for character in value.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            isEscaped = false
            result.append(character)
        }
        return result
    }

    private static func text(of value: JSON, for key: String) throws -> String {
        switch value {
        case .bool(let value): return value ? "ON" : "OFF"
        case .int(let value): return String(value)
        case .double(let value): return String(value)
        case .string(let value) where value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }: return quoted(value)
        default:
            throw PluginFailure(.invalidArgument, "The setting '\(key)' needs a number, a boolean or a line of text.")
        }
    }

    /// A value as an option file takes it: in quotes, with a backslash before what would end them.
    private static func quoted(_ value: String) -> String {
        guard !value.utf8.allSatisfy({ isNameByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }) else {
            return value
        }
        var result = "\""
        for character in value.unicodeScalars {
            if character == "\\" || character == "\"" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(character)
        }
        return result + "\""
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// One group of an option file.
    static func group(_ values: [(name: String, value: String)]) -> String {
        "[mariadbd]\n" + values.map { "\($0.name) = \($0.value)\n" }.joined()
    }
}
