// SPDX-License-Identifier: Apache-2.0

import Model
import ObjectStore

/// The published parts of one log, as objects that clients read. Blocking.
///
/// Shape: objects `<instance>/<datastore>-<log>/log-<time>` of text in UTF-8, and `<instance>/<datastore>-<log>_metafile`.
/// Source: guest logs of the reference service.
struct LogShelf: Sendable {
    /// Of all logs of all projects.
    static let container = "database_logs"
    /// What is older is removed when something is published. Source: `guest_log_expiry` of the reference service.
    static let expiry = Duration.seconds(30 * 24 * 3600)
    /// Of one object, about. Source: `guest_log_limit` of the reference service.
    static let partBytes = 1_000_000

    let objects: ObjectContainer
    let prefix: String
    let metafile: String

    init(objects: ObjectContainer, prefix: String, metafile: String) {
        self.objects = objects
        self.prefix = prefix
        self.metafile = metafile
    }

    init(_ configuration: GuestConfiguration, log: String) {
        objects = ObjectContainer(
            root: configuration.logObjectDirectory + "/" + Self.container, project: configuration.projectID)
        let base = configuration.instanceID + "/" + configuration.datastoreName + "-" + log
        prefix = base + "/"
        metafile = base + "_metafile"
    }

    /// Publishes what `file` has from `record.publishedBytes` on. `save` keeps the record at every step.
    func publish(
        _ file: EngineLogFile, _ record: LogRecord, save: (LogRecord) throws -> Void
    ) throws -> LogRecord {
        var record = record
        if try record.isRotated(file) {
            record.publishedBytes = 0
            record.next = nil
        }
        while record.publishedBytes < file.sizeBytes {
            let part = try part(of: file, &record)
            record.head = try file.head()
            try save(record)
            try put(part.object, Self.text(try file.read(part.to - part.from, from: part.from)))
            record.publishedBytes = part.to
            record.next = nil
            try save(record)
        }
        try writeMetafile(record, sizeBytes: file.sizeBytes)
        try removeExpired()
        return record
    }

    /// Removes every part and the metafile.
    func discard() throws {
        var isMore = true
        while isMore {
            let page = try objects.list(prefix: prefix, after: nil, limit: 1000)
            for item in page.items { try objects.remove(item.name) }
            isMore = page.hasMore
        }
        try objects.remove(metafile)
    }

    /// The part that was begun, or the next one: it ends with a line where it can.
    private func part(of file: EngineLogFile, _ record: inout LogRecord) throws -> LogRecord.Part {
        if let part = record.next, part.from == record.publishedBytes, part.to > part.from, part.to <= file.sizeBytes {
            return part
        }
        let from = record.publishedBytes
        var to = min(from + Self.partBytes, file.sizeBytes)
        if to < file.sizeBytes {
            let bytes = try file.read(to - from, from: from)
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) { to = from + newline + 1 }
        }
        let part = LogRecord.Part(object: record.nameNext(now: SystemWallClock().now), from: from, to: to)
        record.next = part
        return part
    }

    /// Statements may hold any bytes; clients read text.
    private static func text(_ bytes: [UInt8]) -> [UInt8] { Array(String(decoding: bytes, as: UTF8.self).utf8) }

    private func put(_ object: String, _ bytes: [UInt8]) throws { try put(named: prefix + object, bytes) }

    private func put(named name: String, _ bytes: [UInt8]) throws {
        var offset = 0
        try objects.put(name) { buffer in
            let count = min(buffer.count, bytes.count - offset)
            bytes[offset..<offset + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
            offset += count
            return count
        }
    }

    private func writeMetafile(_ record: LogRecord, sizeBytes: Int) throws {
        let document: JSONValue = [
            "version": 1, "log_size": .int(Int64(sizeBytes)), "published_size": .int(Int64(record.publishedBytes)),
            "log_header_digest": .optional(record.head?.digest),
        ]
        try put(named: metafile, document.serialized)
    }

    private func removeExpired() throws {
        let limit = SystemWallClock().now + (.zero - Self.expiry)
        for item in try objects.entries(prefix: "") where item.modified < limit { try objects.remove(item.name) }
    }
}
