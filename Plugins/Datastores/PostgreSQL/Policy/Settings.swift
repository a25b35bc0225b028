// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The engine's settings: for a size, and as the text of its configuration file.
enum Settings {
    /// A line of the configuration file.
    typealias Line = (name: String, value: String)

    /// Settings for an instance of `memoryMiB` and `volumeGiB`, in the order they are written.
    ///
    /// Shape: shared buffers get a quarter of the memory, what the manual advises; the rest holds connections, sorts and the
    /// page cache, which the memory cgroup charges too. The log may grow to an eighth of the volume before a checkpoint.
    static func values(memoryMiB: Int, volumeGiB: Int) -> [Line] {
        [
            ("shared_buffers", "\(max(memoryMiB / 4, 16))MB"),
            ("effective_cache_size", "\(max(memoryMiB * 6 / 10, 16))MB"),
            ("work_mem", "\(min(max(memoryMiB / 128, 1), 64))MB"),
            ("maintenance_work_mem", "\(min(max(memoryMiB / 16, 16), 2048))MB"),
            ("max_connections", String(min(max(memoryMiB / 8, 25), 5000))),
            ("max_wal_size", "\(min(max(volumeGiB, 1) * 128, 16384))MB"),
            ("min_wal_size", "32MB"),
            ("wal_level", "replica"),
            ("max_wal_senders", "10"),
            ("max_replication_slots", "10"),
            // What a backup or a replica has yet to read is kept, but not at the cost of the volume.
            ("max_slot_wal_keep_size", "\(max(volumeGiB, 1) * 256)MB"),
            // After a crash and a restore: one call for the volume instead of one a file.
            ("recovery_init_sync_method", "syncfs"),
            ("password_encryption", "scram-sha-256"),
            // Trying costs at the start, and there are none in a memory cgroup; compiling queries costs more than it gains.
            ("huge_pages", "off"),
            ("jit", "off"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("datestyle", "iso, mdy"),
            ("lc_messages", "C"),
            ("lc_monetary", "C.UTF-8"),
            ("lc_numeric", "C.UTF-8"),
            ("lc_time", "C.UTF-8"),
            ("default_text_search_config", "pg_catalog.english"),
            ("log_line_prefix", "%m [%p] %q%u@%d "),
        ]
    }

    /// The settings of a configuration group in the engine's spelling.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming a parameter that there is not, or a value that it does not take.
    static func overrides(_ values: [String: JSON]) throws -> [Line] {
        try values.sorted { $0.key < $1.key }.map { key, value in
            guard let setting = Catalogue.byName[key] else {
                throw PluginFailure(.invalidArgument, "The parameter '\(key)' is not one that can be set.")
            }
            return (setting.name, try setting.text(of: value))
        }
    }

    /// Refuses a shared cache with which the engine would not start, or be ended for want of memory.
    static func checkMemory(_ lines: [Line], memoryMiB: Int) throws {
        guard let pages = lines.last(where: { $0.name == "shared_buffers" }).flatMap({ Int($0.value) }) else { return }
        let limit = memoryMiB * 128 * 3 / 4
        guard pages > limit else { return }
        throw PluginFailure(
            .invalidArgument,
            "The parameter 'shared_buffers' must be \(limit) or less, three quarters of the flavor's memory, not \(pages)."
        )
    }

    /// Lines of a configuration file; of two equal settings the last counts.
    static func text(_ settings: [Line]) -> String {
        settings.map { "\($0.name) = \(SQLText.literal($0.value))\n" }.joined()
    }
}
