// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

/// Leaky buckets in memory, one a project and verb. Source: REST contract §1.8.
final class RateLimiter: Sendable {
    private struct Key: Hashable {
        let projectID: String
        let verb: String
    }

    private struct Bucket {
        /// Requests not yet leaked.
        var level: Double
        var updated: Timestamp
    }

    /// Requests a minute by verb.
    let limits: [String: Int]
    private let buckets = Mutex<[Key: Bucket]>([:])

    init(limits: [String: Int]) { self.limits = limits }

    /// Counts one request; the fault when it is one too many.
    func admit(_ verb: String, projectID: String, now: Timestamp) throws(APIFault) {
        guard let limit = limits[verb], limit > 0 else { return }
        let wait = buckets.withLock { buckets in
            if buckets.count >= Self.maximumBuckets { Self.purge(&buckets, limits, now) }
            let key = Key(projectID: projectID, verb: verb)
            var bucket = buckets[key] ?? Bucket(level: 0, updated: now)
            bucket.level = Self.leak(bucket, limit, now)
            bucket.updated = now
            let excess = bucket.level + 1 - Double(limit)
            if excess <= 1e-9 { bucket.level += 1 }
            buckets[key] = bucket
            return excess <= 1e-9 ? 0 : excess * 60 / Double(limit)
        }
        guard wait > 0 else { return }
        var fault = APIFault(.overLimit, "This request was rate-limited.")
        let seconds = Int(wait.rounded(.up))
        fault.retryAfter = seconds
        fault.details = [
            "details": .string("Only \(limit) \(verb) request(s) can be made to * every minute."),
            "retryAfter": .string(String(seconds)),
        ]
        throw fault
    }

    /// How many requests of `verb` the project may make now.
    func remaining(_ verb: String, projectID: String, now: Timestamp) -> Int {
        guard let limit = limits[verb] else { return 0 }
        let level = buckets.withLock { buckets in
            buckets[Key(projectID: projectID, verb: verb)].map { Self.leak($0, limit, now) } ?? 0
        }
        return max(0, limit - Int(level.rounded(.up)))
    }

    private static let maximumBuckets = 10_000

    private static func leak(_ bucket: Bucket, _ limit: Int, _ now: Timestamp) -> Double {
        max(0, bucket.level - max(0, (now - bucket.updated).inSeconds) * Double(limit) / 60)
    }

    private static func purge(_ buckets: inout [Key: Bucket], _ limits: [String: Int], _ now: Timestamp) {
        buckets = buckets.filter { key, bucket in leak(bucket, limits[key.verb] ?? 1, now) > 0 }
    }
}
