// SPDX-License-Identifier: Apache-2.0

package import Model

/// One row of `secrets`: what a tenant keeps in the key manager.
package struct SecretRecord: Sendable, Hashable {
    package var id: String
    package var projectID: String
    package var name: String?
    /// `opaque`, `certificate`, `private`, …
    package var type: String
    package var algorithm: String?
    package var mode: String?
    package var bitLength: Int?
    /// From then on the secret is as if it were not there.
    package var expires: Timestamp?
    /// `text/plain`, `application/octet-stream`; nil without a payload.
    package var contentType: String?
    /// Sealed.
    package var payload: String?
    package var creatorID: String
    package var created: Timestamp
    package var updated: Timestamp

    package init(id: String, projectID: String, type: String, creatorID: String, created: Timestamp) {
        self.id = id
        self.projectID = projectID
        self.type = type
        self.creatorID = creatorID
        self.created = created
        updated = created
    }

    package func isExpired(_ now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }
}

/// Which secrets of a project are meant; nil means any.
package struct SecretFilter: Sendable, Hashable {
    package var name: String?
    package var type: String?
    package var algorithm: String?
    package var mode: String?
    package var bitLength: Int?

    package init(name: String? = nil) { self.name = name }
}

/// One row of `secret_containers` with its members.
package struct SecretContainerRecord: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var name: String?
        package var secretID: String

        package init(name: String?, secretID: String) {
            self.name = name
            self.secretID = secretID
        }
    }

    package var id: String
    package var projectID: String
    package var name: String?
    /// `certificate`, `generic`, `rsa`.
    package var type: String
    package var creatorID: String
    package var created: Timestamp
    package var updated: Timestamp
    /// By name.
    package var members: [Member] = []

    package init(id: String, projectID: String, name: String?, type: String, creatorID: String, created: Timestamp) {
        self.id = id
        self.projectID = projectID
        self.name = name
        self.type = type
        self.creatorID = creatorID
        self.created = created
        updated = created
    }
}
