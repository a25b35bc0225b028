// SPDX-License-Identifier: Apache-2.0

/// The reference service's exception classes, by which the contract says what status an error has.
///
/// Source: REST contract §1.5. A class that is not listed is a 400.
package enum ServiceException: String, Sendable, CaseIterable {
    case unprocessableEntity = "UnprocessableEntity"

    case forbidden = "Forbidden"
    case swiftAuthError = "SwiftAuthError"

    case replicaSourceDeleteForbidden = "ReplicaSourceDeleteForbidden"
    case backupTooLarge = "BackupTooLarge"
    case moduleAccessForbidden = "ModuleAccessForbidden"
    case moduleAppliedToInstance = "ModuleAppliedToInstance"
    case policyNotAuthorized = "PolicyNotAuthorized"
    case logAccessForbidden = "LogAccessForbidden"
    case operationAuthError = "TroveOperationAuthError"

    case notFound = "NotFound"
    case computeInstanceNotFound = "ComputeInstanceNotFound"
    case modelNotFound = "ModelNotFoundError"
    case userNotFound = "UserNotFound"
    case databaseNotFound = "DatabaseNotFound"
    case quotaResourceUnknown = "QuotaResourceUnknown"
    case backupFileNotFound = "BackupFileNotFound"
    case clusterNotFound = "ClusterNotFound"
    case datastoreNotFound = "DatastoreNotFound"
    case swiftNotFound = "SwiftNotFound"
    case moduleTypeNotFound = "ModuleTypeNotFound"
    case rootHistoryNotFound = "RootHistoryNotFound"

    case backupNotComplete = "BackupNotCompleteError"
    case restoreBackupIntegrity = "RestoreBackupIntegrityError"

    case overLimit = "OverLimit"
    case quotaExceeded = "QuotaExceeded"
    case volumeQuotaExceeded = "VolumeQuotaExceeded"

    case volumeCreationFailure = "VolumeCreationFailure"
    case updateGuest = "UpdateGuestError"
    case swiftConnection = "SwiftConnectionError"

    case volumeNotSupported = "VolumeNotSupported"
    case localStorageNotSupported = "LocalStorageNotSupported"
    case datastoreOperationNotSupported = "DatastoreOperationNotSupported"
    case clusterInstanceOperationNotSupported = "ClusterInstanceOperationNotSupported"
    case clusterDatastoreNotSupported = "ClusterDatastoreNotSupported"
    case logsNotAvailable = "LogsNotAvailable"

    case datastoreVersionNotFound = "DatastoreVersionNotFound"
    case datastoreVersionInactive = "DatastoreVersionInactive"
    case flavorNotFound = "FlavorNotFound"
    case guest = "GuestError"
    case guestTimeout = "GuestTimeout"
    case backupCreation = "BackupCreationError"
    case badRequest = "BadRequest"

    /// The HTTP status.
    package var status: Int {
        switch self {
        case .unprocessableEntity: 422
        case .forbidden, .swiftAuthError: 401
        case .replicaSourceDeleteForbidden, .backupTooLarge, .moduleAccessForbidden, .moduleAppliedToInstance,
            .policyNotAuthorized, .logAccessForbidden, .operationAuthError:
            403
        case .notFound, .computeInstanceNotFound, .modelNotFound, .userNotFound, .databaseNotFound,
            .quotaResourceUnknown, .backupFileNotFound, .clusterNotFound, .datastoreNotFound, .swiftNotFound,
            .moduleTypeNotFound, .rootHistoryNotFound:
            404
        case .backupNotComplete, .restoreBackupIntegrity: 409
        case .overLimit, .quotaExceeded, .volumeQuotaExceeded: 413
        case .volumeCreationFailure, .updateGuest, .swiftConnection: 500
        case .volumeNotSupported, .localStorageNotSupported, .datastoreOperationNotSupported,
            .clusterInstanceOperationNotSupported, .clusterDatastoreNotSupported, .logsNotAvailable:
            501
        case .datastoreVersionNotFound, .datastoreVersionInactive, .flavorNotFound, .guest, .guestTimeout,
            .backupCreation, .badRequest:
            400
        }
    }
}
