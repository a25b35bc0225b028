// SPDX-License-Identifier: Apache-2.0

/// Encrypts payloads before they are stored, each for one secret of one project: a box opens nowhere else.
package protocol SecretSeal: Sendable {
    /// - Returns: A text for the state store.
    /// - Throws: `.unavailable`, `.key`.
    func seal(_ payload: [UInt8], projectID: String, secretID: String) async throws(KeyManagerError) -> String

    /// - Throws: `.key` for a box of another secret, project or key, or one that was changed; `.unavailable`.
    func open(_ box: String, projectID: String, secretID: String) async throws(KeyManagerError) -> [UInt8]
}
