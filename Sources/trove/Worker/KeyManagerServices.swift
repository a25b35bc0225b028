// SPDX-License-Identifier: Apache-2.0

import API
import KeyManager
import Model
import ObjectStore
import StateStore

/// The key manager that the settings choose: a Barbican, or the one inside the control plane.
struct KeyManagerServices: Sendable {
    let certificates: (any CertificateContainers)?
    /// nil where the key manager is elsewhere.
    let management: KeyManagement?

    /// - Throws: `StartError`.
    init(_ configuration: WorkerConfiguration, home: Home, store: any StateStore) throws {
        let settings = configuration.keyManager
        if let barbican = settings.barbican {
            management = nil
            do throws(CertificateContainerFault) {
                certificates = try BarbicanCertificates(barbican, threads: DetachedThreads())
            } catch { throw StartError("key_manager.endpoint: \(error.message)") }
            return
        }
        guard settings.isBuiltIn(configuration.bus) else {
            (certificates, management) = (nil, nil)
            return
        }
        let seal: any SecretSeal
        if configuration.bus.url != nil, let passphrase = configuration.bus.rpcKey {
            // API processes of several hosts have this passphrase in common, and no files.
            do throws(KeyManagerError) { seal = try PassphraseSeal(passphrase: passphrase) } catch {
                throw StartError("bus.rpc_key_file: \(error.message)")
            }
        } else {
            seal = ProjectKeySeal(
                keys: ProjectKeys(directory: home.secrets + "/projects"), threads: DetachedThreads())
        }
        certificates = StoredCertificates(store: store, seal: seal, publicEndpoint: configuration.publicEndpoint)
        management = KeyManagement(seal: seal, projectLimit: settings.projectLimit)
    }
}

/// A thread for each thing that blocks.
struct DetachedThreads: BlockingThreads {
    func run<Value: Sendable>(_ body: @Sendable @escaping () -> Value) async -> Value { await BlockingCall.run(body) }
}
