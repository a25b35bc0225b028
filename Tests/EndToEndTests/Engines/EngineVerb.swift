// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What a tenant can ask of an instance, in the words of the client after `openstack database`; in the order in which the
/// tests ask.
enum EngineVerb: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case instanceCreate = "instance create"
    case instanceCreateWithDatabases = "instance create --databases"
    case instanceCreateWithUsers = "instance create --users"
    case instanceShow = "instance show"
    case instanceList = "instance list"
    case instanceRename = "instance update --name"
    case databaseCreate = "db create"
    case databaseList = "db list"
    case databaseDelete = "db delete"
    case userCreate = "user create"
    case userCreateOfHost = "user create --host"
    case userList = "user list"
    case userShow = "user show"
    case grantAccess = "user grant access"
    case showAccess = "user show access"
    case revokeAccess = "user revoke access"
    case userRename = "user update attributes --new_name"
    case userPassword = "user update attributes --new_password"
    case userDelete = "user delete"
    case rootShow = "root show"
    case rootEnable = "root enable"
    case rootDisable = "root disable"
    case instanceRestart = "instance restart"
    case backupCreate = "backup create"
    case backupList = "backup list"
    case backupShow = "backup show"
    case instanceCreateFromBackup = "instance create --backup"
    case backupDelete = "backup delete"
    case instanceDelete = "instance delete"

    var testDescription: String { rawValue }

    /// The command without options.
    var command: String { rawValue.components(separatedBy: " --")[0] }

    /// The verb without which there is nothing that this one could be about.
    var premise: EngineVerb? {
        switch self {
        case .backupList, .backupShow, .backupDelete, .instanceCreateFromBackup: .backupCreate
        default: nil
        }
    }

    /// Functions of `trove_datastore_1` that do the verb; none where it is the control plane's, the policy's or the backup
    /// strategy's.
    var functions: [String] {
        switch self {
        case .databaseCreate: ["create_databases"]
        case .databaseList: ["list_databases"]
        case .databaseDelete: ["delete_database"]
        case .userCreate: ["create_users"]
        case .userList: ["list_users"]
        case .userShow: ["get_user"]
        case .grantAccess: ["grant_access"]
        case .showAccess: ["get_user"]
        case .revokeAccess: ["revoke_access"]
        case .userRename, .userPassword: ["update_user"]
        case .userDelete: ["delete_user"]
        case .rootEnable: ["enable_root"]
        case .rootDisable: ["disable_root"]
        default: []
        }
    }

    func perform(_ run: EngineRun) async throws {
        switch self {
        case .instanceCreate: try await run.createInstance()
        case .instanceCreateWithDatabases: try await run.createdDatabases()
        case .instanceCreateWithUsers: try await run.createdUsers()
        case .instanceShow: try await run.showInstance()
        case .instanceList: try await run.listInstances()
        case .instanceRename: try await run.renameInstance()
        case .instanceRestart: try await run.restartInstance()
        case .instanceDelete: try await run.deleteInstances()
        case .databaseCreate: try await run.createDatabase()
        case .databaseList: try await run.listDatabases()
        case .databaseDelete: try await run.deleteDatabase()
        case .userCreate: try await run.createUser()
        case .userCreateOfHost: try await run.createUserOfHost()
        case .userList: try await run.listUsers()
        case .userShow: try await run.showUser()
        case .grantAccess: try await run.grantAccess()
        case .showAccess: try await run.showAccess()
        case .revokeAccess: try await run.revokeAccess()
        case .userRename: try await run.renameUser()
        case .userPassword: try await run.changePassword()
        case .userDelete: try await run.deleteUsers()
        case .rootShow: try await run.showRoot()
        case .rootEnable: try await run.enableRoot()
        case .rootDisable: try await run.disableRoot()
        case .backupCreate: try await run.createBackup()
        case .backupList: try await run.listBackups()
        case .backupShow: try await run.showBackup()
        case .instanceCreateFromBackup: try await run.restore()
        case .backupDelete: try await run.deleteBackup()
        }
    }
}
