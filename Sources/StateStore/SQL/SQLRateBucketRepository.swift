// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `rate_buckets`. Placeholders in the order of the comments.
struct RateBucketStatements: Sendable {
    /// project, verb, updated; inserts an empty bucket unless there is a row
    let ensure: String
    /// project, verb → level, updated, leases; keeps others from changing it
    let lock: String
    /// level, updated, leases, project, verb
    let save: String
    /// project → verb, level, updated, leases
    let all: String
    /// moment, limit
    let purge: String
}

struct SQLRateBucketRepository: RateBucketRepository {
    let connection: any StateConnection
    let statements: RateBucketStatements

    func lock(projectID: String, verb: String) throws -> RateBucket {
        if let bucket = try find(projectID, verb) { return bucket }
        let empty = RateBucket(bucket: LeakyBucket(updated: Timestamp(microseconds: 0)))
        try connection.execute(statements.ensure, [.text(projectID), .text(verb), SQLValue(empty.bucket.updated)])
        return try find(projectID, verb) ?? empty
    }

    private func find(_ projectID: String, _ verb: String) throws -> RateBucket? {
        try connection.first(statements.lock, [.text(projectID), .text(verb)]) { row in
            var reader = RowReader(row)
            return try Self.bucket(&reader)
        }
    }

    func save(_ bucket: RateBucket, projectID: String, verb: String) throws {
        let leases = JSONValue.object(
            bucket.leases.mapValues { [.int(Int64($0.requests)), .int($0.expires.microseconds)] })
        try connection.execute(
            statements.save,
            [
                .double(bucket.bucket.level), SQLValue(bucket.bucket.updated), SQLValue(leases), .text(projectID),
                .text(verb),
            ])
    }

    func all(projectID: String) throws -> [String: RateBucket] {
        let rows = try connection.query(statements.all, [.text(projectID)]) { row in
            var reader = RowReader(row)
            return (try reader.text(), try Self.bucket(&reader))
        }
        return Dictionary(rows) { _, last in last }
    }

    func purge(before moment: Timestamp, limit: Int) throws -> Int {
        try connection.execute(statements.purge, [SQLValue(moment), SQLValue(limit)])
    }

    /// Leases: `{owner: [requests, expires in microseconds]}`
    private static func bucket(_ reader: inout RowReader) throws -> RateBucket {
        let bucket = LeakyBucket(level: try reader.double(), updated: try reader.time())
        let leases = (try reader.json().objectValue ?? [:]).compactMapValues { lease -> RateBucket.Lease? in
            guard let requests = lease[0]?.intValue, let expires = lease[1]?.intValue else { return nil }
            return RateBucket.Lease(requests: requests, expires: Timestamp(microseconds: Int64(expires)))
        }
        return RateBucket(bucket: bucket, leases: leases)
    }
}
