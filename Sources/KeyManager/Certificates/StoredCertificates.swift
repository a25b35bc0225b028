// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// Containers of the key manager inside the control plane, read from the state store.
package struct StoredCertificates: CertificateContainers {
    /// Where it is below the API's address.
    package static let path = "/key-manager"

    private let store: any StateStore
    private let seal: any SecretSeal
    private let clock: any WallClock
    private let publicEndpoint: String?

    /// - Parameter publicEndpoint: The API's address where it is configured; a reference must begin with it. Without one, any host
    ///   is taken, for nothing is asked there.
    package init(
        store: any StateStore, seal: any SecretSeal, clock: any WallClock = SystemWallClock(), publicEndpoint: String?
    ) {
        self.store = store
        self.seal = seal
        self.clock = clock
        self.publicEndpoint = publicEndpoint
    }

    package func container(
        _ reference: String, passwordReference: String?, projectID: String, token: String?
    ) async throws(CertificateContainerFault) -> CertificateContainer {
        let id = try id(reference, .containers)
        var passphraseID: String?
        if let passwordReference { passphraseID = try self.id(passwordReference, .secrets) }
        let source = StoredSecrets(store: store, seal: seal, now: clock.now, projectID: projectID)
        return try await ContainerContents(source: source).read(id, passphraseID: passphraseID)
    }

    private func id(
        _ reference: String, _ kind: KeyReference.Kind
    ) throws(CertificateContainerFault) -> String {
        let host = publicEndpoint.map { $0 + Self.path + "/v1/" } ?? "http"
        guard reference.hasPrefix(host), reference.contains("://"),
            let id = KeyReference.id(in: reference, kind),
            reference.lowercased().contains(Self.path + "/v1/\(kind.rawValue)/\(id)")
        else {
            throw CertificateContainerFault(
                .invalid,
                "The reference must be \(publicEndpoint ?? "http(s)://host:port")\(Self.path)/v1/\(kind.rawValue)/ID, of "
                    + "this cloud's key manager.")
        }
        return id
    }
}

private struct StoredSecrets: SecretSource {
    let store: any StateStore
    let seal: any SecretSeal
    let now: Timestamp
    let projectID: String

    func outline(_ containerID: String) async throws(CertificateContainerFault) -> ContainerOutline {
        let record = try await read { try $0.secrets.container(containerID) }
        guard let record else { throw CertificateContainerFault(.missing, "There is no container \(containerID).") }
        guard record.projectID == projectID else {
            throw CertificateContainerFault(.forbidden, "Container \(containerID) is of another project.")
        }
        return ContainerOutline(
            type: record.type,
            secrets: Dictionary(
                record.members.map { ($0.name ?? "", $0.secretID) }, uniquingKeysWith: { first, _ in first }))
    }

    func payload(_ secretID: String) async throws(CertificateContainerFault) -> [UInt8] {
        let record = try await read { try $0.secrets.find(secretID) }
        guard let record, !record.isExpired(now) else {
            throw CertificateContainerFault(.missing, "There is no secret \(secretID).")
        }
        guard record.projectID == projectID else {
            throw CertificateContainerFault(.forbidden, "Secret \(secretID) is of another project.")
        }
        guard let box = record.payload else {
            throw CertificateContainerFault(.invalid, "Secret \(secretID) has no payload.")
        }
        do throws(KeyManagerError) {
            return try await seal.open(box, projectID: record.projectID, secretID: secretID)
        } catch {
            throw CertificateContainerFault(error.code == .key ? .invalid : .unavailable, error.message)
        }
    }

    private func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws(CertificateContainerFault) -> Value {
        do { return try await store.read(body) } catch {
            throw CertificateContainerFault(.unavailable, "The key manager cannot answer now; please try again.")
        }
    }
}
