// SPDX-License-Identifier: Apache-2.0

/// PEM texts of a certificate container.
package struct CertificateContainer: Sendable {
    /// Leaf, then intermediates.
    package var certificate: String
    /// Unencrypted PEM.
    package var privateKey: Secret
    /// CA PEM for client certificates.
    package var authority: String?

    package init(certificate: String, privateKey: Secret, authority: String?) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.authority = authority
    }
}

/// Resolves a certificate container's reference with the caller's rights.
package protocol CertificateContainers: Sendable {
    /// - Parameters:
    ///   - reference: What the key manager calls the container.
    ///   - passwordReference: The secret with the passphrase of its private key; nil: it is in the container, or there is none.
    ///   - token: The caller's.
    func container(
        _ reference: String, passwordReference: String?, projectID: String, token: String?
    ) async throws(CertificateContainerFault) -> CertificateContainer
}

/// Why a container cannot be had.
package struct CertificateContainerFault: Error, Sendable {
    package enum Reason: Sendable { case missing, forbidden, invalid, unavailable }

    package var reason: Reason
    /// One sentence, without secrets.
    package var message: String

    package init(reason: Reason, message: String) {
        self.reason = reason
        self.message = message
    }
}
