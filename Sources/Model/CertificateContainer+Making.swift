// SPDX-License-Identifier: Apache-2.0

extension CertificateContainer {
    /// - Parameter chain: The leaf, then intermediates, PEM.
    package init(chain: String, privateKey: Secret, authority: String?) {
        self.init(certificate: chain, privateKey: privateKey, authority: authority)
    }
}

extension CertificateContainerFault {
    /// - Parameter message: One sentence for the client, without secrets.
    package init(_ reason: Reason, _ message: String) { self.init(reason: reason, message: message) }
}
