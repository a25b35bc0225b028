// SPDX-License-Identifier: Apache-2.0

import Model

/// A request that wants to be done once.
package struct IdempotencyClaim: Sendable {
    /// Digest of project, path and key: at most 64 characters.
    package var id: String
    package var projectID: String
    /// For operators: where it was sent.
    package var path: String
    /// Of all that makes it the same request: at most 64 characters.
    package var requestDigest: String
    /// Unique for this request.
    package var owner: String
    /// How long the request may take before another one may take its place.
    package var lease: Duration
    /// How long its answer is kept.
    package var keptFor: Duration

    package init(
        id: String, projectID: String, path: String, requestDigest: String, owner: String, lease: Duration,
        keptFor: Duration
    ) {
        self.id = id
        self.projectID = projectID
        self.path = path
        self.requestDigest = requestDigest
        self.owner = owner
        self.lease = lease
        self.keptFor = keptFor
    }
}

/// What a claim led to.
package enum IdempotencyOutcome: Sendable, Hashable {
    /// Nobody has done it; the claimer does.
    case claimed
    /// Somebody does it now.
    case running
    /// It was done; `answer` as it was stored.
    case done(status: Int, answer: String)
    /// It was done, and whoever did it ended before he stored the answer.
    case answerLost
    /// The key belongs to another request.
    case otherRequest
}
