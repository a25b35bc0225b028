// SPDX-License-Identifier: Apache-2.0

package import KeyManager

/// What the key manager inside the control plane works with.
package struct KeyManagement: Sendable {
    /// Encrypts payloads before they are stored.
    package var seal: any SecretSeal
    /// Secrets, and containers, that a project may have; -1: any number.
    package var projectLimit: Int

    package init(seal: any SecretSeal, projectLimit: Int = 1000) {
        self.seal = seal
        self.projectLimit = projectLimit
    }
}
