// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The settings that tenants may change. Paths, addresses, logins, replication and modules are the service's.
///
/// Source: redis.conf of Redis 7.0; defaults as that file has them.
enum Catalogue {
    static let settings: [Setting] = memory + persistence + connections + data + observation

    static let byName = Dictionary(settings.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    /// The smallest limit of memory that the engine starts and works with.
    static let minimumMaxmemory: Int64 = 4 << 20

    private static let large: Int64 = 1 << 50

    private static let memory = [
        Setting("maxmemory", .integer(minimumMaxmemory...large), .null, "Bytes that keys and their values may use."),
        Setting(
            "maxmemory-policy",
            .choice([
                "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu",
                "volatile-random", "volatile-ttl",
            ]), "noeviction", "What happens to keys when the memory is used up."),
        Setting("maxmemory-samples", .integer(1...64), 5, "Keys that are compared for an eviction."),
        Setting("maxmemory-eviction-tenacity", .integer(0...100), 10, "How much time an eviction may take."),
        Setting("lfu-log-factor", .integer(0...255), 10, "How slowly the counters of accesses grow."),
        Setting("lfu-decay-time", .integer(0...65535), 1, "Minutes after which a counter of accesses is halved."),
        Setting("active-expire-effort", .integer(1...10), 1, "How hard expired keys are looked for."),
        Setting("lazyfree-lazy-eviction", .boolean, false, "Evicted values are freed in the background."),
        Setting("lazyfree-lazy-expire", .boolean, false, "Expired values are freed in the background."),
        Setting("lazyfree-lazy-server-del", .boolean, false, "Replaced values are freed in the background."),
        Setting("lazyfree-lazy-user-del", .boolean, false, "DEL works as UNLINK does."),
    ]

    private static let persistence = [
        Setting("appendonly", .boolean, false, "Changes are written to a log that is replayed at the start."),
        Setting("appendfsync", .choice(["always", "everysec", "no"]), "everysec", "When the log is synced to disk."),
        Setting("no-appendfsync-on-rewrite", .boolean, false, "The log is not synced while it is rewritten."),
        Setting("auto-aof-rewrite-percentage", .integer(0...10000), 100, "Growth at which the log is rewritten."),
        Setting("auto-aof-rewrite-min-size", .integer(0...large), 67_108_864, "Bytes under which it is not."),
        Setting("save", .savePoints, "", "Snapshots: seconds and changes after which one is written."),
        Setting("rdbcompression", .boolean, true, "Texts in snapshots are compressed."),
        Setting("stop-writes-on-bgsave-error", .boolean, true, "Writes are refused after a snapshot that failed."),
    ]

    private static let connections = [
        Setting("maxclients", .integer(10...100_000), 10000, "Clients that may be connected."),
        Setting(
            "timeout", .integer(0...31_536_000), 0, "Seconds after which an idle client is sent away; 0 for never."),
        Setting("tcp-keepalive", .integer(0...86400), 300, "Seconds between probes of a silent client."),
        Setting(
            "client-query-buffer-limit", .integer(1_048_576...large), 1_073_741_824, "Bytes of a client's request."),
        Setting("proto-max-bulk-len", .integer(1_048_576...large), 536_870_912, "Bytes of one value in a request."),
        Setting("tracking-table-max-keys", .integer(0...large), 1_000_000, "Keys that client-side caches are told of."),
        Setting(
            "busy-reply-threshold", .integer(0...3_600_000), 5000, "Milliseconds that a script may hold others up."),
        Setting("io-threads", .integer(1...16), 1, restart: true, "Threads that write to clients."),
        Setting("tcp-backlog", .integer(1...65535), 511, restart: true, "Connections that wait to be taken."),
    ]

    private static let data = [
        Setting("databases", .integer(16...1024), 16, restart: true, "How many numbered databases there are."),
        Setting("hash-max-listpack-entries", .integer(0...1_000_000), 512, "Fields of a hash that is packed."),
        Setting("hash-max-listpack-value", .integer(0...1_000_000), 64, "Bytes of a value in a hash that is packed."),
        Setting("list-max-listpack-size", .integer(-5...65535), -2, "Size of the packed parts of a list."),
        Setting("list-compress-depth", .integer(0...65535), 0, "Parts at a list's ends that are not compressed."),
        Setting("set-max-intset-entries", .integer(0...1_000_000), 512, "Integers of a set that is packed."),
        Setting("zset-max-listpack-entries", .integer(0...1_000_000), 128, "Members of a sorted set that is packed."),
        Setting("zset-max-listpack-value", .integer(0...1_000_000), 64, "Bytes of a member in one that is packed."),
        Setting("stream-node-max-entries", .integer(0...1_000_000), 100, "Entries of a stream's node."),
        Setting("activerehashing", .boolean, true, "Tables are rebuilt while the engine is idle."),
        Setting("hz", .integer(1...500), 10, "How often a second background work is done."),
    ]

    private static let observation = [
        Setting("slowlog-log-slower-than", .integer(-1...3_600_000_000), 10000, "Microseconds of a slow command."),
        Setting("slowlog-max-len", .integer(0...1_000_000), 128, "Slow commands that are remembered."),
        Setting("latency-monitor-threshold", .integer(0...3_600_000), 0, "Milliseconds of a delay that is remembered."),
        Setting("notify-keyspace-events", .letters("KEg$lshzxetdmnA"), "", "Events of keys that are published."),
        Setting("acllog-max-len", .integer(0...1_000_000), 128, "Refused commands that are remembered."),
        Setting(
            "loglevel", .choice(["debug", "verbose", "notice", "warning"]), "notice", "How much the engine logs."),
    ]
}
