// SPDX-License-Identifier: Apache-2.0

import Model

/// What a key manager says of a container: its type and the secrets in it by name, without payloads.
struct ContainerOutline: Sendable {
    /// `certificate`, `generic`, `rsa`.
    var type: String
    /// Ids by name.
    var secrets: [String: String]
}

/// Where containers and payloads are read with a caller's rights.
protocol SecretSource: Sendable {
    func outline(_ containerID: String) async throws(CertificateContainerFault) -> ContainerOutline
    func payload(_ secretID: String) async throws(CertificateContainerFault) -> [UInt8]
}

/// Makes a certificate with its key out of a container's secrets.
struct ContainerContents: Sendable {
    private static let authorities = ["ca_certificate", "ca"]

    let source: any SecretSource

    /// - Parameter passphraseID: A secret whose payload opens the key, before the container's own.
    func read(
        _ containerID: String, passphraseID: String?
    ) async throws(CertificateContainerFault) -> CertificateContainer {
        let outline = try await source.outline(containerID)
        guard outline.type == "certificate" || outline.type == "generic" else {
            throw CertificateContainerFault(
                .invalid,
                "The container is of type '\(outline.type)'; one of type 'certificate', or 'generic', is needed.")
        }
        guard let certificate = outline.secrets["certificate"], let key = outline.secrets["private_key"] else {
            let name = outline.secrets["certificate"] == nil ? "certificate" : "private_key"
            throw CertificateContainerFault(.invalid, "The container has no secret named '\(name)'.")
        }
        var certificates = try await certificates(certificate, "certificate")
        let leaf = certificates.removeFirst()
        if let id = outline.secrets["intermediates"] {
            certificates += try await self.certificates(id, "intermediates")
        }
        let privateKey = try await privateKey(key, passphraseID ?? outline.secrets["private_key_passphrase"])
        guard PEM.fits(leaf, privateKey) else {
            throw CertificateContainerFault(.invalid, "The container's private key is not that of its certificate.")
        }
        var authority: String?
        if outline.type == "generic", let name = Self.authorities.first(where: { outline.secrets[$0] != nil }),
            let id = outline.secrets[name]
        {
            authority = try await self.certificates(id, name).joined()
        }
        return CertificateContainer(
            certificate: ([leaf] + certificates.filter { PEM.isRoot($0) != true }).joined(), privateKey: privateKey,
            authority: authority ?? ([leaf] + certificates).last { PEM.isRoot($0) == true })
    }

    private func certificates(_ id: String, _ name: String) async throws(CertificateContainerFault) -> [String] {
        guard let certificates = PEM.certificates(try await text(id, name)), !certificates.isEmpty else {
            throw CertificateContainerFault(
                .invalid, "The secret named '\(name)' is not a certificate in PEM (BEGIN CERTIFICATE).")
        }
        return certificates
    }

    private func privateKey(
        _ id: String, _ passphraseID: String?
    ) async throws(CertificateContainerFault) -> Secret {
        let sealed = Secret(try await text(id, "private_key"))
        var passphrase: Secret?
        if let passphraseID { passphrase = Secret(try await text(passphraseID, "private_key_passphrase")) }
        do throws(PEM.KeyFault) { return try PEM.openKey(sealed, passphrase: passphrase) } catch {
            switch error {
            case .noKey:
                throw CertificateContainerFault(.invalid, "The secret named 'private_key' is not a private key in PEM.")
            case .passphrase where passphrase == nil:
                throw CertificateContainerFault(
                    .invalid,
                    "The private key is behind a passphrase: give 'password_ref', or put 'private_key_passphrase' into "
                        + "the container.")
            case .passphrase:
                throw CertificateContainerFault(.invalid, "The passphrase does not open the container's private key.")
            }
        }
    }

    private func text(_ id: String, _ name: String) async throws(CertificateContainerFault) -> String {
        guard let text = String(validating: try await source.payload(id), as: UTF8.self), !text.utf8.contains(0) else {
            throw CertificateContainerFault(.invalid, "The secret named '\(name)' is not a text.")
        }
        return text
    }
}
