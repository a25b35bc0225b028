// SPDX-License-Identifier: Apache-2.0

import HTTPClient
package import Model

/// Containers of a Barbican, read with the token of who asks.
///
/// A reference names the container alone: what is asked is the configured endpoint, never an address that a client gave.
/// Source: Key Manager API v1, "Containers" and "Secrets".
package struct BarbicanCertificates: CertificateContainers {
    private let base: String
    private let accepted: [HTTPAddress]
    private let exchanger: HTTPExchanger
    private let threads: any BlockingThreads
    private let timeout: Duration

    /// - Throws: `.invalid` for an endpoint that is no web address.
    package init(
        _ configuration: BarbicanConfiguration, threads: any BlockingThreads
    ) throws(CertificateContainerFault) {
        base = BarbicanConfiguration.versioned(configuration.endpoint)
        var accepted: [HTTPAddress] = []
        for text in [configuration.endpoint] + [configuration.publicEndpoint].compactMap({ $0 }) {
            do {
                _ = try HTTPAddress(text)
                accepted.append(try HTTPAddress(BarbicanConfiguration.versioned(text) + "/"))
            } catch {
                throw CertificateContainerFault(
                    .invalid, "the key manager's address '\(text)' cannot be used: \(error.message)")
            }
        }
        self.accepted = accepted
        exchanger = HTTPExchanger(
            HTTPClientConfiguration(caFile: configuration.caFile), connections: HTTPConnections(limit: 4))
        self.threads = threads
        timeout = configuration.timeout
    }

    package func container(
        _ reference: String, passwordReference: String?, projectID: String, token: String?
    ) async throws(CertificateContainerFault) -> CertificateContainer {
        let id = try id(reference, .containers)
        var passphraseID: String?
        if let passwordReference { passphraseID = try self.id(passwordReference, .secrets) }
        guard let token, !token.isEmpty else {
            throw CertificateContainerFault(
                .forbidden, "The key manager is asked with the caller's token, and there is none.")
        }
        let source = BarbicanSecrets(
            base: base, exchanger: exchanger, threads: threads, deadline: .now + timeout, token: Secret(token))
        return try await ContainerContents(source: source).read(id, passphraseID: passphraseID)
    }

    /// The id in a reference to this key manager.
    private func id(
        _ reference: String, _ kind: KeyReference.Kind
    ) throws(CertificateContainerFault) -> String {
        if let address = try? HTTPAddress(reference), let id = KeyReference.id(in: address.text, kind),
            accepted.contains(where: { own in
                own.origin == address.origin
                    && Self.path(address.text) == Self.path(own.text) + "\(kind.rawValue)/\(id)"
            })
        {
            return id
        }
        throw CertificateContainerFault(
            .invalid,
            "The reference must be \(BarbicanConfiguration.versioned(accepted.last?.text ?? base))/\(kind.rawValue)/ID, of "
                + "this cloud's key manager.")
    }

    /// What follows the origin, in lower case as ids are, without a slash at its end.
    private static func path(_ text: String) -> String {
        var path =
            text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).last.map(String.init) ?? ""
        if path.hasSuffix("/"), KeyReference.isID(path.dropLast().suffix(36)) { path.removeLast() }
        return path.lowercased()
    }
}
