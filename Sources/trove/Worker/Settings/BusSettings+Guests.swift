// SPDX-License-Identifier: Apache-2.0

import BrokerAccounts
import Messaging
import StateStore
import TaskManager

extension BusSettings {
    /// What guests' accounts at the broker are made with; nil: there are none, or somebody else makes them.
    ///
    /// - Throws: `StartError`.
    func administration() throws -> RabbitAdministration? {
        guard let url, let managementURL, let managementUser, let managementPassword else { return nil }
        do {
            var configuration = RabbitAdministrationConfiguration(
                url: managementURL, user: managementUser, password: managementPassword,
                virtualHost: try RabbitURL(parsing: guestURL ?? url).virtualHost, exchange: exchange,
                guestExchange: RabbitConfiguration.guestExchange(of: exchange))
            configuration.caFile = caFile
            return try RabbitAdministration(configuration, logger: Log.make("broker-accounts"))
        } catch let error as BrokerAccountError {
            throw StartError("bus.management_url: \(error.message)")
        } catch let error as MessagingError {
            throw StartError("bus.url: \(error.message)")
        }
    }

    /// How flows let guests onto the broker; nil where they do not.
    ///
    /// - Throws: `StartError`.
    func guests() throws -> GuestBus? {
        guard let administration = try administration(), let passphrase = rpcKey ?? managementPassword else {
            return nil
        }
        return GuestBus(
            administration: administration, passphrase: passphrase, keys: try keyBox(),
            sealing: isSealed ? .on : .off)
    }

    /// The keys of instances; nil without a passphrase for them. Instances that have a key keep it when `bus.encryption` is
    /// switched off for new ones.
    ///
    /// - Throws: `StartError`.
    func keyring(_ store: any StateStore) throws -> StoredKeyring? {
        try keyBox().map { StoredKeyring(store: store, box: $0) }
    }

    private func keyBox() throws -> RPCKeyBox? {
        guard url != nil, let rpcKey else { return nil }
        do {
            return try RPCKeyBox(passphrase: rpcKey)
        } catch {
            throw StartError("bus.rpc_key_file: \(error.message)")
        }
    }
}
