// SPDX-License-Identifier: Apache-2.0

import Model

/// The body of `POST /instances`, checked as far as that goes without looking anything up.
///
/// Source: REST contract §3.3. Other keys are allowed and mean nothing.
struct CreateInstanceRequest: Sendable {
    let name: String
    /// Id, or href whose last segment is one.
    let flavorID: String
    /// GiB; nil when not given.
    let volumeGiB: Int?
    let volumeType: String?
    let datastore: String?
    let datastoreVersion: String?
    let datastoreVersionNumber: String?
    let databases: [DatabaseSpecification]
    let users: [UserSpecification]
    let backupID: String?
    let access: JSONValue?
    /// Of the configuration group.
    let configurationID: String?
    /// nil: no replica is asked for.
    let replica: ReplicaRequest?
    /// Ids, as they were given.
    let moduleIDs: [String]

    static let schema = Schema.object(
        [
            "instance": .object(
                [
                    "name": .nonEmptyText, "flavorRef": .flavorReference, "volume": .volume,
                    "datastore": .object([
                        "type": .nonEmptyText, "version": .nonEmptyText, "version_number": .nonEmptyText,
                    ]),
                    "databases": .databases, "users": .users,
                    "restorePoint": .object(["backupRef": .uuid], required: ["backupRef"]),
                    "replica_of": .oneOf([.uuid, .null]), "replica_count": .integer(minimum: 1, maximum: 3),
                    "availability_zone": .oneOf([.nonEmptyText, .null]),
                    "region_name": .oneOf([.nonEmptyText, .null]),
                    "nics": .oneOf([nics, .null]), "locality": .oneOf([.string(), .null]),
                    "modules": .oneOf([.array(of: .object(["id": .uuid], required: ["id"])), .null]),
                    "configuration": .oneOf([.string(), .null]), "access": UpdateInstance.access,
                ],
                required: ["name"]
            )
        ],
        required: ["instance"]
    )

    private static let nics = Schema.array(
        of: .object(
            [
                "net-id": .uuid, "network_id": .uuid, "subnet_id": .uuid,
                "ip_address": .string(minimum: 7, maximum: 15, pattern: .ipv4),
            ], isClosed: true),
        maximum: 1
    )

    /// - Throws: 400 for a body that does not fit; 501 for what is not supported here.
    init(_ body: JSONValue, region: String) throws(APIFault) {
        try Self.schema.validate(body)
        let instance = body["instance"] ?? [:]
        replica = try ReplicaRequest(instance)
        if replica == nil {
            try Self.refuseUnsupported(instance)
            try Self.requireOwnRegion(instance, region)
        }
        name = instance["name"]?.stringValue ?? ""
        flavorID = replica == nil ? try Self.flavorID(instance["flavorRef"] ?? instance["flavor"]) : ""
        volumeGiB = instance["volume"]?["size"].flatMap { $0.intValue ?? Int($0.stringValue ?? "") }
        if volumeGiB == nil, instance["volume"] != nil { throw APIFault(400, "Volume 'size' is out of range.") }
        volumeType = instance["volume"]?["type"]?.stringValue
        datastore = instance["datastore"]?["type"]?.stringValue
        datastoreVersion = instance["datastore"]?["version"]?.stringValue
        datastoreVersionNumber = instance["datastore"]?["version_number"]?.stringValue
        databases = (instance["databases"]?.arrayValue ?? []).compactMap(DatabaseSpecification.init(json:))
        users = (instance["users"]?.arrayValue ?? []).compactMap(UserSpecification.init(json:))
        backupID = instance["restorePoint"]?["backupRef"]?.stringValue
        access = instance["access"]
        configurationID = instance["configuration"]?.stringValue.map(Self.lastSegment)
        moduleIDs = (instance["modules"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
        try checkNames()
    }

    /// `flavorRef`; without it `flavor`, which one of the public clients sends for it.
    private static func flavorID(_ reference: JSONValue?) throws(APIFault) -> String {
        guard let text = reference?.stringValue ?? reference?.intValue.map(String.init) else {
            throw APIFault(400, "Validation error: instance 'flavorRef' is a required property")
        }
        return lastSegment(text)
    }

    /// The id of an href, or the id itself.
    private static func lastSegment(_ text: String) -> String {
        text.split(separator: "/").last.map(String.init) ?? text
    }

    /// What the contract has and this service does not is refused, never ignored.
    private static func refuseUnsupported(_ instance: JSONValue) throws(APIFault) {
        if let locality = instance["locality"]?.stringValue {
            let words = ["affinity", "soft-affinity", "anti-affinity", "soft-anti-affinity"]
            guard words.contains(locality) else {
                throw APIFault(
                    400,
                    "Invalid locality '\(locality)'. Must be one of \(JSONValue.array(words.map(JSONValue.string)).quoted)"
                )
            }
            throw APIFault.unsupported("Server groups ('locality') are not supported.")
        }
        if let nic = instance["nics"]?[0] {
            guard nic["net-id"] != nil || nic["network_id"] != nil || nic["subnet_id"] != nil else {
                throw APIFault(400, "Instance network or subnet needs to be specified.")
            }
            if nic["ip_address"] != nil, nic["subnet_id"] == nil {
                throw APIFault(400, "Instance subnet needs to be specified when an IP address is.")
            }
            throw APIFault.unsupported("Choosing networks ('nics') is not supported: instances have one address each.")
        }
        if instance["access"]?["is_public"] == true {
            throw APIFault.unsupported("Public addresses ('access.is_public') are not supported.")
        }
    }

    private static func requireOwnRegion(_ instance: JSONValue, _ region: String) throws(APIFault) {
        for key in ["region_name", "availability_zone"] {
            guard let name = instance[key]?.stringValue, name != region else { continue }
            throw APIFault(400, "Unknown \(key) '\(name)': the only one of this service is '\(region)'.")
        }
    }

    /// Sentences of the reference service for names that clash within the request.
    private func checkNames() throws(APIFault) {
        guard Set(databases.map(\.name)).count == databases.count else {
            throw APIFault(
                400,
                "Two or more databases share the same name in the initial databases list. Please correct the names"
                    + " or remove the duplicate entries."
            )
        }
        guard Set(users.map { [$0.name, $0.host ?? "%"] }).count == users.count else {
            throw APIFault(
                400,
                "Two or more users share the same name and host in the initial users list. Please correct the names"
                    + " or remove the duplicate entries."
            )
        }
        let known = Set(databases.map(\.name))
        for user in users {
            guard let database = user.databases.first(where: { !known.contains($0) }) else { continue }
            throw APIFault(
                400,
                "The request indicates that user \(user.name) should have access to database \(database), but database"
                    + " \(database) is not included in the initial databases list."
            )
        }
    }
}
