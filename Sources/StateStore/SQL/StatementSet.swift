// SPDX-License-Identifier: Apache-2.0

import Model

/// Every statement of one SQL dialect, by noun.
///
/// Each noun's struct stands beside the repository that uses it and documents its placeholders and columns.
struct StatementSet: Sendable {
    let instances: InstanceStatements
    let backups: BackupStatements
    let datastores: DatastoreStatements
    let journal: JournalStatements
    let ledger: LedgerStatements
    let quotas: QuotaStatements
    let faults: FaultStatements
    let rootHistory: RootHistoryStatements
    let lastSeen: LastSeenStatements
    let revocations: RevocationStatements
    let pluginValues: PluginValueStatements
    let leases: LeaseStatements
    let rateBuckets: RateBucketStatements
    let idempotencyKeys: IdempotencyStatements
    let configurations: ConfigurationStatements
    let parameters: ParameterStatements
    let clusters: ClusterStatements
    let modules: ModuleStatements
    let events: OperationEventStatements
    let secrets: SecretStatements
}

/// The repositories over one connection. Lives as long as one transaction body.
struct SQLTransaction: StateTransaction {
    let connection: any StateConnection
    let statements: StatementSet
    let time: TransactionTime

    var now: Timestamp { get throws { try time.now } }

    var instances: any InstanceRepository {
        SQLInstanceRepository(connection: connection, statements: statements.instances)
    }
    var backups: any BackupRepository {
        SQLBackupRepository(connection: connection, statements: statements.backups)
    }
    var datastores: any DatastoreRepository {
        SQLDatastoreRepository(connection: connection, statements: statements.datastores)
    }
    var journal: any JournalRepository {
        SQLJournalRepository(
            connection: connection, statements: statements.journal, events: statements.events, time: time)
    }
    var ledger: any LedgerRepository {
        SQLLedgerRepository(connection: connection, statements: statements.ledger)
    }
    var quotas: any QuotaRepository {
        SQLQuotaRepository(connection: connection, statements: statements.quotas)
    }
    var faults: any FaultRepository {
        SQLFaultRepository(connection: connection, statements: statements.faults)
    }
    var rootHistory: any RootHistoryRepository {
        SQLRootHistoryRepository(connection: connection, statements: statements.rootHistory)
    }
    var conductorLastSeen: any LastSeenRepository {
        SQLLastSeenRepository(connection: connection, statements: statements.lastSeen)
    }
    var revocations: any RevocationRepository {
        SQLRevocationRepository(connection: connection, statements: statements.revocations)
    }
    var pluginValues: any PluginValueRepository {
        SQLPluginValueRepository(connection: connection, statements: statements.pluginValues)
    }
    var leases: any LeaseRepository {
        SQLLeaseRepository(connection: connection, statements: statements.leases, time: time)
    }
    var rateBuckets: any RateBucketRepository {
        SQLRateBucketRepository(connection: connection, statements: statements.rateBuckets)
    }
    var idempotencyKeys: any IdempotencyRepository {
        SQLIdempotencyRepository(connection: connection, statements: statements.idempotencyKeys, time: time)
    }
    var configurations: any ConfigurationRepository {
        SQLConfigurationRepository(connection: connection, statements: statements.configurations)
    }
    var parameters: any ParameterRepository {
        SQLParameterRepository(connection: connection, statements: statements.parameters)
    }
    var clusters: any ClusterRepository {
        SQLClusterRepository(connection: connection, statements: statements.clusters)
    }
    var backupStrategies: any BackupStrategyRepository { SQLBackupStrategyRepository(connection: connection) }
    var modules: any ModuleRepository {
        SQLModuleRepository(connection: connection, statements: statements.modules)
    }
    var events: any OperationEventRepository {
        SQLOperationEventRepository(connection: connection, statements: statements.events)
    }
    var secrets: any SecretRepository {
        SQLSecretRepository(connection: connection, statements: statements.secrets)
    }
}
