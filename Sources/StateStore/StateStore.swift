// SPDX-License-Identifier: Apache-2.0

package import Model

/// The rows that outlive every process.
///
/// A transaction body is synchronous and runs on the store's own thread, so that a driver over a blocking C library fits
/// behind the same protocol. It may run more than once (a deadlock or a lost connection is retried), so it has no effect
/// outside the transaction.
package protocol StateStore: Sendable {
    /// Runs `body` against one consistent snapshot.
    ///
    /// - Throws: what `body` throws; `StateStoreError` for the store's own failures.
    func read<Value: Sendable>(_ body: @Sendable @escaping (any StateTransaction) throws -> Value) async throws -> Value

    /// Runs `body` in one transaction that commits when it returns and leaves nothing when it throws.
    ///
    /// - Parameters:
    ///   - durability: `.durable` survives a power cut once this returns; `.relaxed` survives a crash of any process.
    ///   - body: Reads and writes.
    func write<Value: Sendable>(
        _ durability: Durability,
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value

    /// Closes every connection; later calls throw `.unavailable`.
    func close() async
}

/// How much a commit must survive.
package enum Durability: Sendable {
    case durable
    case relaxed
}

/// What can be read and written inside one transaction: one repository a noun.
package protocol StateTransaction {
    var instances: any InstanceRepository { get }
    var backups: any BackupRepository { get }
    var datastores: any DatastoreRepository { get }
    var journal: any JournalRepository { get }
    var ledger: any LedgerRepository { get }
    var quotas: any QuotaRepository { get }
    var faults: any FaultRepository { get }
    var rootHistory: any RootHistoryRepository { get }
    var conductorLastSeen: any LastSeenRepository { get }
    var revocations: any RevocationRepository { get }
    var pluginValues: any PluginValueRepository { get }
    var leases: any LeaseRepository { get }
    var rateBuckets: any RateBucketRepository { get }
    var idempotencyKeys: any IdempotencyRepository { get }
    var configurations: any ConfigurationRepository { get }
    var parameters: any ParameterRepository { get }
    var clusters: any ClusterRepository { get }
    var backupStrategies: any BackupStrategyRepository { get }
    var modules: any ModuleRepository { get }
    var events: any OperationEventRepository { get }
    var secrets: any SecretRepository { get }
    /// The database's clock, which all who share it agree on; the same throughout the transaction. Leases are reckoned by it.
    var now: Timestamp { get throws }
}
