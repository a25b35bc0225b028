// SPDX-License-Identifier: Apache-2.0

/// How often one project may send requests of one verb, shared by all API processes.
///
/// A process leases some requests in advance and says later when it let them through. What is leased takes room and does
/// not leak, so processes together never let more through than one alone would. A lease that nobody gave back counts as used
/// when it expires: a process that dies costs the project its lease once.
package struct RateBucket: Sendable, Hashable {
    package struct Lease: Sendable, Hashable {
        package var requests: Int
        /// By the database's clock. Also what tells a process that its lease is still the one it took.
        package var expires: Timestamp

        package init(requests: Int, expires: Timestamp) {
            self.requests = requests
            self.expires = expires
        }
    }

    /// What a process did since it took its lease, by the database's clock.
    package struct Report: Sendable {
        package var owner: String
        /// Expiry of the lease; nil without one.
        package var lease: Timestamp?
        /// When leased requests were let through, in order.
        package var used: [Timestamp]
        /// When others were, while the lease could not be renewed; in order.
        package var unleased: [Timestamp]

        package init(owner: String, lease: Timestamp? = nil, used: [Timestamp] = [], unleased: [Timestamp] = []) {
            self.owner = owner
            self.lease = lease
            self.used = used
            self.unleased = unleased
        }
    }

    package var bucket: LeakyBucket
    /// By owner: one incarnation of an API process.
    package var leases: [String: Lease]

    package init(bucket: LeakyBucket, leases: [String: Lease] = [:]) {
        self.bucket = bucket
        self.leases = leases
    }

    /// Requests that are leased.
    package var held: Int { leases.values.reduce(0) { $0 + $1.requests } }

    /// Counts what a process reports, and ends its lease; what it did not use is free again.
    package mutating func settle(_ report: Report, now: Timestamp, limit: Int) {
        var moments = report.unleased
        // A lease that is not there any more was counted when it expired.
        if let expires = report.lease, leases[report.owner]?.expires == expires {
            leases[report.owner] = nil
            moments += report.used
        }
        for moment in moments.sorted() { bucket.add(at: min(moment, now), limit: limit) }
        for (owner, lease) in leases.sorted(by: { $0.value.expires < $1.value.expires }) where lease.expires <= now {
            bucket.add(lease.requests, at: lease.expires, limit: limit)
            leases[owner] = nil
        }
    }

    /// Leases at most `wanted` requests to `owner`, which has no lease; less when there is no more room.
    package mutating func lease(_ wanted: Int, to owner: String, until expires: Timestamp, now: Timestamp, limit: Int)
        -> Int
    {
        let requests = min(wanted, bucket.room(at: now, limit: limit, held: held))
        if requests > 0 { leases[owner] = Lease(requests: requests, expires: expires) }
        return requests
    }
}
