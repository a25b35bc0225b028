// SPDX-License-Identifier: Apache-2.0

/// PEM texts of a certificate container.
package struct CertificateContainer: Sendable {
    package var certificate: String  // leaf, then intermediates
    package var privateKey: Secret  // unencrypted PEM
    package var authority: String?  // CA PEM for client certificates
}

/// Resolves a certificate container's reference with the caller's rights.
package protocol CertificateContainers: Sendable {
    func container(
        _ reference: String, passwordReference: String?, projectID: String, token: String?
    ) async throws(CertificateContainerFault) -> CertificateContainer
}

package struct CertificateContainerFault: Error, Sendable {
    package enum Reason: Sendable { case missing, forbidden, invalid, unavailable }
    package var reason: Reason
    package var message: String
}
