// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// `trove instance create NAME`
struct CreateInstanceCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an instance, empty, from a backup, or as a replica.",
        discussion: "The first user's password is asked for at the terminal, or read from --password-file."
    )

    @Option(help: "The flavor's id or name; a replica has its source's.") var flavor: String?
    @Option(help: ArgumentHelp("The volume's size.", valueName: "GiB")) var size: Int?
    @Option(help: ArgumentHelp("The volume's type.", valueName: "name")) var volumeType: String?
    @Option(help: ArgumentHelp("The datastore's id or name.", valueName: "datastore")) var datastore: String?
    @Option(help: ArgumentHelp("The datastore version's id or name.", valueName: "version"))
    var datastoreVersion: String?
    @Option(help: ArgumentHelp("The number of the datastore version.", valueName: "number"))
    var datastoreVersionNumber: String?
    @Option(help: ArgumentHelp("A database to make; may be given several times.", valueName: "name"))
    var database: [String] = []
    @Option(help: ArgumentHelp("A user to make, with access to the databases that are made.", valueName: "name"))
    var user: String?
    @Option(help: ArgumentHelp("From which hosts the user may come.", valueName: "host")) var userHost: String?
    @OptionGroup var password: PasswordOptions
    @Option(help: "The backup to restore, by id or name.") var backup: String?
    @Option(help: "The configuration group, by id or name.") var configuration: String?
    @Option(help: ArgumentHelp("Make a replica of this instance.", valueName: "instance")) var replicaOf: String?
    @Option(help: ArgumentHelp("Make so many replicas.", valueName: "count")) var replicaCount: Int?
    @Option(help: "A module to apply, by id or name; may be given several times.") var module: [String] = []
    @Option(help: ArgumentHelp("network=ID[,subnet=ID][,ip=ADDRESS]", valueName: "nic")) var nic: String?
    @Option(help: ArgumentHelp("The availability zone.", valueName: "name")) var availabilityZone: String?
    @Option(help: ArgumentHelp("affinity or anti-affinity of the replicas to come.", valueName: "policy"))
    var locality: String?
    @Flag(help: "Give it an address that everybody reaches.") var isPublic = false
    @Option(help: ArgumentHelp("Who may reach it; may be given several times.", valueName: "cidr"))
    var allowedCidr: [String] = []

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's name.") var name: String

    func validate() throws {
        if user == nil, userHost != nil || password.passwordFile != nil {
            throw ValidationError("--user-host and --password-file need --user")
        }
        if flavor == nil, replicaOf == nil { throw ValidationError("--flavor is missing") }
        if let nic { _ = try Self.nic(nic) }
    }

    func perform(_ client: ServiceClient) throws {
        let answer = try client.send("POST", Resource.instance.path, ["instance": try body(client)])
        let made = answer.body?["instance"] ?? [:]
        guard let id = made["id"]?.stringValue else {
            throw ClientError(.protocolError, "the service's answer has no instance id")
        }
        output.printer.object(try wait.follow(client, .instance, id: id, name: name) ?? made)
    }

    private func body(_ client: ServiceClient) throws -> JSONValue {
        var volume: JSONValue?
        if let size { volume = BodyText.object(["size": .int(Int64(size)), "type": BodyText.string(volumeType)]) }
        var access: JSONValue?
        if isPublic || !allowedCidr.isEmpty {
            access = BodyText.object([
                "is_public": .bool(isPublic),
                "allowed_cidrs": allowedCidr.isEmpty ? nil : .array(allowedCidr.map(JSONValue.string)),
            ])
        }
        let modules = try module.map { JSONValue.object(["id": .string(try client.id(.module, $0))]) }
        func id(_ resource: Resource, _ text: String?) throws -> JSONValue? {
            try text.map { .string(try client.id(resource, $0)) }
        }
        return BodyText.object([
            "name": .string(name), "flavorRef": try id(.flavor, flavor), "volume": volume,
            "datastore": BodyText.datastore(datastore, datastoreVersion, number: datastoreVersionNumber),
            "databases": BodyText.names(database), "users": try users(),
            "restorePoint": try id(.backup, backup).map { ["backupRef": $0] },
            "configuration": try id(.configuration, configuration), "replica_of": try id(.instance, replicaOf),
            "replica_count": replicaCount.map { .int(Int64($0)) }, "modules": modules.isEmpty ? nil : .array(modules),
            "nics": try nic.map { [try Self.nic($0)] }, "availability_zone": BodyText.string(availabilityZone),
            "locality": BodyText.string(locality), "access": access,
        ])
    }

    private func users() throws -> JSONValue? {
        guard let user else { return nil }
        return [
            BodyText.object([
                "name": .string(user), "password": .string(try password.password(of: user).revealed),
                "host": BodyText.string(userHost), "databases": BodyText.names(database) ?? [],
            ])
        ]
    }

    private static func nic(_ text: String) throws -> JSONValue {
        let keys = [
            "network": "network_id", "net-id": "network_id", "subnet": "subnet_id", "subnet-id": "subnet_id",
            "ip": "ip_address", "ip-address": "ip_address",
        ]
        var members: [String: JSONValue] = [:]
        for word in text.split(separator: ",") {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let key = keys[parts[0]] else {
                throw ValidationError("--nic is network=ID[,subnet=ID][,ip=ADDRESS]")
            }
            members[key] = .string(parts[1])
        }
        return .object(members)
    }
}
