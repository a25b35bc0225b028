// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// A tenant's commands about backups.
struct BackupCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "backup", "Make, list and delete backups.",
        [
            ListCommand<Backups, BackupFilter>.self, ShowStatusCommand<Backups>.self, CreateBackupCommand.self,
            DeleteCommand<Backups>.self, BackupStrategyCommand.self,
        ])
}

enum Backups: Collection {
    static let resource = Resource.backup
}

struct BackupFilter: ListFilter {
    @Option(help: "List those of this instance, by id or name.") var instance: String?
    @Option(help: "List those of this datastore, by id or name.") var datastore: String?
    @Flag(help: "List those of all projects; for administrators.") var allProjects = false
    @Option(help: ArgumentHelp("List those of this project; for administrators.", valueName: "id")) var projectId:
        String?

    func path(_ resource: Resource, _ client: ServiceClient) throws -> String {
        resource.path
            + PathText.query([
                "instance_id": try instance.map { try client.id(.instance, $0) }, "datastore": datastore,
                "all_projects": allProjects ? "True" : nil, "project_id": projectId,
            ])
    }
}

/// `trove backup create NAME --instance INSTANCE`, or `--restore-from URL --restore-datastore-version ID --restore-size GB`
struct CreateBackupCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Back an instance up, or take over a backup that is in the object store.")

    @Option(name: .shortAndLong, help: "The instance's id or name; needed unless a backup is taken over.")
    var instance: String?
    @Option(help: ArgumentHelp("A text to find it by.", valueName: "text")) var description: String?
    @Flag(help: "Save only what changed since the instance's last backup.") var incremental = false
    @Option(help: ArgumentHelp("Save only what changed since this backup, by id or name.", valueName: "backup"))
    var parent: String?
    @Option(help: ArgumentHelp("The container of the object store.", valueName: "name")) var swiftContainer: String?
    @Option(help: ArgumentHelp("The store to save it in.", valueName: "name")) var storageDriver: String?
    @Option(help: ArgumentHelp("Take over the backup that lies here, in the project's own objects.", valueName: "url"))
    var restoreFrom: String?
    @Option(help: ArgumentHelp("The datastore version that it is of.", valueName: "id"))
    var restoreDatastoreVersion: String?
    @Option(help: ArgumentHelp("How large it is, in GB.", valueName: "GB")) var restoreSize: Double?
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The backup's name.") var name: String

    func validate() throws {
        guard (instance == nil) != (restoreFrom == nil) else {
            throw ValidationError("Give either --instance, to back it up, or --restore-from, to take a backup over.")
        }
        let isWhole = restoreDatastoreVersion != nil && restoreSize != nil
        guard restoreFrom == nil || isWhole else {
            throw ValidationError("--restore-from needs --restore-datastore-version and --restore-size.")
        }
    }

    private var source: JSONValue? {
        restoreFrom.map {
            [
                "remote_location": .string($0), "local_datastore_version_id": .optional(restoreDatastoreVersion),
                "size": .double(restoreSize ?? 0),
            ]
        }
    }

    func perform(_ client: ServiceClient) throws {
        let body = BodyText.object([
            "name": .string(name), "instance": try instance.map { .string(try client.id(.instance, $0)) },
            "description": BodyText.string(description), "incremental": incremental || parent != nil ? 1 : nil,
            "parent_id": try parent.map { .string(try client.id(.backup, $0)) },
            "swift_container": BodyText.string(swiftContainer), "storage_driver": BodyText.string(storageDriver),
            "restore_from": source,
        ])
        let made = try client.send("POST", "/backups", ["backup": body]).body?["backup"] ?? [:]
        guard let id = made["id"]?.stringValue else {
            throw ClientError(.protocolError, "the service's answer has no backup id")
        }
        output.printer.object(try wait.follow(client, .backup, id: id, name: name) ?? made)
    }
}

/// Where backups go.
struct BackupStrategyCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "strategy", "Say into which container backups go.",
        [ListBackupStrategiesCommand.self, CreateBackupStrategyCommand.self, DeleteBackupStrategyCommand.self])
}

struct BackupStrategyOptions: ParsableArguments {
    @Option(help: "That of this instance, by id or name.") var instance: String?
    @Option(help: ArgumentHelp("That of this project; for administrators.", valueName: "id")) var projectId: String?

    func query(_ client: ServiceClient) throws -> String {
        PathText.query([
            "instance_id": try instance.map { try client.id(.instance, $0) }, "project_id": projectId,
        ])
    }
}

struct ListBackupStrategiesCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List backup strategies.")

    @OptionGroup var of: BackupStrategyOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    func perform(_ client: ServiceClient) throws {
        output.printer.list(
            try client.items("/backup_strategies" + of.query(client), "backup_strategies"),
            [
                Column("Project ID", "project_id"), Column("Instance ID", "instance_id"),
                Column("Swift Container", "swift_container"),
            ])
    }
}

struct CreateBackupStrategyCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Set the backup strategy of the project, or of an instance.")

    @Option(help: "The instance's id or name; without it, of the project.") var instance: String?
    @Option(help: ArgumentHelp("The container that backups go into.", valueName: "name")) var swiftContainer: String
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    func perform(_ client: ServiceClient) throws {
        let body = BodyText.object([
            "swift_container": .string(swiftContainer),
            "instance_id": try instance.map { .string(try client.id(.instance, $0)) },
        ])
        let answer = try client.send("POST", "/backup_strategies", ["backup_strategy": body])
        output.printer.object(answer.body?["backup_strategy"] ?? [:])
    }
}

struct DeleteBackupStrategyCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete the backup strategy of the project, or of an instance.")

    @OptionGroup var of: BackupStrategyOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    func perform(_ client: ServiceClient) throws {
        _ = try client.send("DELETE", "/backup_strategies" + of.query(client))
        output.printer.note("backup strategy: deleted")
    }
}
