// SPDX-License-Identifier: Apache-2.0

import API
import Messaging
import Model
import PluginHost
import StateStore
import Testing

@Suite("Faults")
struct FaultsTests {
    /// REST contract §1.5, row by row.
    private static let contract: [(status: Int, classes: [String])] = [
        (422, ["UnprocessableEntity"]),
        (401, ["Forbidden", "SwiftAuthError"]),
        (
            403,
            [
                "ReplicaSourceDeleteForbidden", "BackupTooLarge", "ModuleAccessForbidden", "ModuleAppliedToInstance",
                "PolicyNotAuthorized", "LogAccessForbidden", "TroveOperationAuthError",
            ]
        ),
        (
            404,
            [
                "NotFound", "ComputeInstanceNotFound", "ModelNotFoundError", "UserNotFound", "DatabaseNotFound",
                "QuotaResourceUnknown", "BackupFileNotFound", "ClusterNotFound", "DatastoreNotFound", "SwiftNotFound",
                "ModuleTypeNotFound", "RootHistoryNotFound",
            ]
        ),
        (409, ["BackupNotCompleteError", "RestoreBackupIntegrityError"]),
        (413, ["OverLimit", "QuotaExceeded", "VolumeQuotaExceeded"]),
        (500, ["VolumeCreationFailure", "UpdateGuestError", "SwiftConnectionError"]),
        (
            501,
            [
                "VolumeNotSupported", "LocalStorageNotSupported", "DatastoreOperationNotSupported",
                "ClusterInstanceOperationNotSupported", "ClusterDatastoreNotSupported", "LogsNotAvailable",
            ]
        ),
        (
            400,
            [
                "DatastoreVersionNotFound", "DatastoreVersionInactive", "FlavorNotFound", "GuestError", "GuestTimeout",
                "BackupCreationError", "BadRequest",
            ]
        ),
    ]

    @Test("every exception class has the contract's status and key")
    func exceptions() throws {
        var count = 0
        for (status, classes) in Self.contract {
            for name in classes {
                let exception = try #require(ServiceException(rawValue: name), "\(name)")
                #expect(exception.status == status, "\(name)")
                let response = APIFault(exception, "why").response
                #expect(response.status == status)
                #expect(response.fault.key == APIFault.keys[status])
                #expect(response.fault.message == "why")
                count += 1
            }
        }
        #expect(count == ServiceException.allCases.count)
    }

    @Test("a fault is one key with code and message")
    func shape() {
        let response = APIFault(404, "Resource 1234 cannot be found.").response
        #expect(response.json == ["itemNotFound": ["code": 404, "message": "Resource 1234 cannot be found."]])
        #expect(response.contentType == "application/json")
    }

    @Test(
        "errors of plugins have the boundary's status",
        arguments: [
            (PluginError.Code.invalidArgument, 400), (.notFound, 404), (.alreadyExists, 400), (.unsupported, 501),
            (.preconditionFailed, 422), (.cancelled, 500), (.timedOut, 400), (.busy, 409), (.unavailable, 503),
            (.permissionDenied, 403), (.exhausted, 413), (.internal, 500), (.crashed, 500),
        ]
    )
    func plugins(_ code: PluginError.Code, _ status: Int) {
        #expect(APIFault(PluginError(code, pluginID: "p", "why"))?.status == status)
    }

    @Test("a crash names the plugin and says to try again")
    func crash() {
        let fault = APIFault(PluginError(.crashed, pluginID: "org.example.engine", "SIGSEGV"))
        #expect(fault?.key == "serverError")
        #expect(fault?.message == "Plugin 'org.example.engine' crashed while it served this request; please try again.")
    }

    @Test("trouble with a guest is a 400 with the contract's sentences")
    func guests() {
        let timeout = APIFault(MessagingError(.timedOut, "no reply"))
        #expect(timeout?.status == 400)
        #expect(timeout?.message == "Timeout trying to connect to the Guest Agent.")
        let failure = RPCFailure(className: "X", module: "m", message: "disk full.")
        let remote = APIFault(MessagingError(.remote, "failed", failure: failure))
        #expect(remote?.status == 400)
        #expect(remote?.message == "An error occurred communicating with the guest: disk full.")
    }

    @Test(
        "errors of the state store are told apart",
        arguments: [
            (StateStoreError.Code.notFound, 404), (.conflict, 409), (.quotaExceeded, 413), (.unavailable, 503),
            (.busy, 503), (.full, 503),
        ]
    )
    func store(_ code: StateStoreError.Code, _ status: Int) {
        #expect(APIFault(StateStoreError(code, "why"))?.status == status)
    }

    @Test("what nobody expects has no fault of its own")
    func uncaught() {
        #expect(APIFault(StateStoreError(.corrupt, "why")) == nil)
        #expect(APIFault(CancellationError()) == nil)
    }
}
