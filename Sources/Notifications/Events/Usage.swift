// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// An instance as usage events show it.
package struct Usage: Sendable {
    /// A new size, and the one before: memory in MiB, volume in GiB; nil when nobody knows it any more.
    package enum Change: Sendable {
        case memory(before: Int?)
        case volume(before: Int?)
    }

    private let summary: InstanceSummary
    private let flavor: Flavor?
    private let volumeID: String?

    /// - Parameters:
    ///   - summary: The instance as it is now.
    ///   - flavor: Its flavor; nil when the operator has taken that away.
    ///   - volumeID: Tag of its volume; nil without one.
    package init(_ summary: InstanceSummary, flavor: Flavor?, volumeID: String?) {
        self.summary = summary
        self.flavor = flavor
        self.volumeID = volumeID
    }

    private var state: JSONValue { .string(summary.status.status.lowercased()) }

    /// Members that every usage event has.
    fileprivate func common(_ configuration: NotificationConfiguration) -> [String: JSONValue] {
        let instance = summary.instance
        return [
            "instance_id": .string(instance.id), "instance_name": .string(instance.name),
            "instance_type_id": .string(instance.flavorID), "nova_instance_id": .optional(instance.serverID),
            "region": .string(configuration.region),
            "service_id": .string(configuration.serviceID(datastore: summary.datastoreName)),
            "state": state, "state_description": state, "tenant_id": .string(instance.projectID),
        ]
    }

    fileprivate func full(_ configuration: NotificationConfiguration, userID: String) -> [String: JSONValue] {
        let instance = summary.instance
        var payload = common(configuration)
        payload["availability_zone"] = .null
        payload["created_at"] = .string(instance.created.zoned)
        payload["launched_at"] = .string(instance.created.zoned)
        payload["name"] = .string(instance.name)
        payload["instance_size"] = .optional(flavor?.ramMiB)
        payload["instance_type"] = .optional(flavor?.name)
        payload["user_id"] = .string(userID)
        if instance.volumeGiB > 0 {
            payload["volume_size"] = .int(Int64(instance.volumeGiB))
            payload["nova_volume_id"] = .optional(volumeID)
        }
        return payload
    }

    fileprivate func exists(
        _ configuration: NotificationConfiguration, from beginning: Timestamp, to ending: Timestamp
    ) -> [String: JSONValue] {
        let instance = summary.instance
        var payload = common(configuration)
        payload["audit_period_beginning"] = .string(beginning.zoned)
        payload["audit_period_ending"] = .string(ending.zoned)
        payload["created_at"] = .string(instance.created.raw)
        payload["launched_at"] = .string(instance.created.raw)
        payload["display_name"] = .string(instance.name)
        return payload
    }

    fileprivate var projectID: String { summary.instance.projectID }
    fileprivate var instanceID: String { summary.instance.id }
}

extension Notifier {
    /// `trove.instance.create`: the instance is active, new or restored.
    package func created(_ usage: Usage, context: RequestContext) -> NotificationMessage {
        make(
            "trove.instance.create", publisherID: configuration.host,
            usage.full(configuration, userID: context.userID), context: context
        )
    }

    /// `trove.instance.delete`: everything of the instance is gone.
    package func deleted(_ usage: Usage, at time: Timestamp, context: RequestContext) -> NotificationMessage {
        var payload = usage.full(configuration, userID: context.userID)
        payload["deleted_at"] = .string(time.zoned)
        return make("trove.instance.delete", publisherID: configuration.host, payload, context: context)
    }

    /// `trove.instance.modify_flavor` or `modify_volume`: an instance has another size.
    ///
    /// - Parameters:
    ///   - usage: The instance as it is now.
    ///   - change: What is another now, with the size before.
    package func modified(
        _ usage: Usage, _ change: Usage.Change, at time: Timestamp, context: RequestContext
    ) -> NotificationMessage {
        var payload = usage.full(configuration, userID: context.userID)
        payload["launched_at"] = .string(time.zoned)
        payload["modify_at"] = .string(time.zoned)
        let event: String
        switch change {
        case .memory(let before):
            event = "modify_flavor"
            payload["old_instance_size"] = .optional(before)
        case .volume(let before):
            event = "modify_volume"
            payload["old_volume_size"] = .optional(before)
        }
        return make("trove.instance.\(event)", publisherID: configuration.host, payload, context: context)
    }

    /// `trove.instance.exists`: the instance was there in an audit period. The same id each time that it is made.
    package func exists(_ usage: Usage, from beginning: Timestamp, to ending: Timestamp) -> NotificationMessage {
        var message = make(
            "trove.instance.exists", publisherID: "\(ServerType.taskManager.rawValue).\(configuration.host)",
            usage.exists(configuration, from: beginning, to: ending), context: periodicContext(usage.projectID)
        )
        message.id = Self.stableID(message.eventType, usage.instanceID, ending)
        return message
    }

    /// `dbaas.quota`: what a project uses of one resource. The same id each time that it is made.
    package func quota(
        projectID: String, resource: String, inUse: Int, limit: Int, at time: Timestamp
    ) -> NotificationMessage {
        var message = make(
            "dbaas.quota", publisherID: configuration.host,
            [
                "in_use": .int(Int64(inUse)), "limit": .int(Int64(limit)), "reserved": 0,
                "resource": .string(resource), "updated": .string(time.raw),
            ],
            context: periodicContext(projectID)
        )
        message.id = Self.stableID(message.eventType, "\(projectID)\0\(resource)", time)
        return message
    }

    /// Nobody asked; the project is the one that is told about.
    private func periodicContext(_ projectID: String) -> RequestContext {
        RequestContext(requestID: random.requestID(), projectID: projectID)
    }

    /// A UUID that says what it is for, so that a report that is made again after a crash is a repeat for a listener too.
    /// Source: RFC 9562 §5.8, version 8.
    private static func stableID(_ eventType: String, _ subject: String, _ time: Timestamp) -> String {
        let text = "\(eventType)\0\(subject)\0\(time.microseconds)"
        var digits = Array(StableHash.digits(text.utf8) + StableHash.digits((text + "\0").utf8))
        digits[12] = "8"
        digits[16] = "8"
        for place in [20, 16, 12, 8] { digits.insert("-", at: place) }
        return String(digits)
    }
}
