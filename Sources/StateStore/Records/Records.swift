// SPDX-License-Identifier: Apache-2.0

package import Model

/// One row of `instances`, with its service status.
package struct InstanceRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var projectID: String
    package var flavorID: String
    package var volumeGiB: Int
    package var datastoreVersionID: String
    package var created: Timestamp
    package var updated: Timestamp
    package var deleted: Timestamp?
    package var task: InstanceTask
    package var taskStarted: Timestamp?
    package var service: ServiceStatus
    /// When the guest was last heard (`service_statuses.updated_at`).
    package var serviceUpdated: Timestamp
    /// Bytes used on the data volume, as the guest last reported; nil when it has not.
    package var volumeUsedBytes: Int?
    package var serverID: String?
    package var serverStatus: ServerStatus
    /// The instance's own address on the embedded network.
    package var address: String?
    package var region: String?
    /// `{"is_public": bool, "allowed_cidrs": [text]}` as stored; `nil` when never set.
    package var access: JSONValue?
    /// Pinned plugins, `{"datastore": "id@version", "backup": "id@version"}`.
    package var plugins: JSONValue
    /// Optimistic row version, 0 at insert.
    package var version: Int

    package init(
        id: String, name: String, projectID: String, flavorID: String, volumeGiB: Int, datastoreVersionID: String,
        created: Timestamp, task: InstanceTask = .building, service: ServiceStatus = .new,
        serverStatus: ServerStatus = .build, region: String? = nil, access: JSONValue? = nil, plugins: JSONValue = [:]
    ) {
        self.id = id
        self.name = name
        self.projectID = projectID
        self.flavorID = flavorID
        self.volumeGiB = volumeGiB
        self.datastoreVersionID = datastoreVersionID
        self.created = created
        updated = created
        self.task = task
        self.service = service
        serviceUpdated = created
        self.serverStatus = serverStatus
        self.region = region
        self.access = access
        self.plugins = plugins
        version = 0
    }
}

/// What a list or a show needs of an instance, from one statement.
package struct InstanceSummary: Sendable, Hashable {
    package var instance: InstanceRecord
    package var datastoreName: String
    package var datastoreVersionName: String
    package var datastoreVersionNumber: String
    /// Whether a backup of it is NEW, BUILDING or SAVING.
    package var backupIsRunning: Bool
    package var fault: FaultRecord?

    package init(
        instance: InstanceRecord, datastoreName: String, datastoreVersionName: String, datastoreVersionNumber: String,
        backupIsRunning: Bool, fault: FaultRecord?
    ) {
        self.instance = instance
        self.datastoreName = datastoreName
        self.datastoreVersionName = datastoreVersionName
        self.datastoreVersionNumber = datastoreVersionNumber
        self.backupIsRunning = backupIsRunning
        self.fault = fault
    }

    package var status: InstanceStatus {
        InstanceStatus(
            task: instance.task, service: instance.service, server: instance.serverStatus,
            heartbeat: instance.serviceUpdated, backupIsRunning: backupIsRunning
        )
    }
}

/// Why an instance failed, for the tenant. One row of `instance_faults`.
package struct FaultRecord: Sendable, Hashable {
    package var instanceID: String
    /// At most 255 characters.
    package var message: String
    package var details: String?
    package var created: Timestamp
    package var updated: Timestamp

    package init(instanceID: String, message: String, details: String?, created: Timestamp) {
        self.instanceID = instanceID
        self.message = message
        self.details = details
        self.created = created
        updated = created
    }
}

/// One row of `backups`.
package struct BackupRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var description: String?
    package var projectID: String
    package var instanceID: String?
    package var parentID: String?
    package var state: BackupState
    /// Where the sealed object is, as shown in `locationRef`.
    package var location: String?
    /// Bytes of the engine's stream before compression; `size` of the API in GB is derived from it.
    package var sizeBytes: Int64?
    /// Lower-case hex SHA-256 of the sealed object.
    package var checksum: String?
    /// The strategy's plugin id, e.g. `org.trove.mariabackup`.
    package var backupType: String?
    package var datastoreVersionID: String
    /// What the strategy emitted; the parent of an increment.
    package var position: JSONValue?
    package var created: Timestamp
    package var updated: Timestamp
    package var deleted: Timestamp?
    /// From the join: names of the datastore and its version.
    package var datastoreName: String = ""
    package var datastoreVersionName: String = ""

    package init(
        id: String, name: String, description: String?, projectID: String, instanceID: String?, parentID: String? = nil,
        state: BackupState = .new, backupType: String?, datastoreVersionID: String, created: Timestamp
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.projectID = projectID
        self.instanceID = instanceID
        self.parentID = parentID
        self.state = state
        self.backupType = backupType
        self.datastoreVersionID = datastoreVersionID
        self.created = created
        updated = created
    }
}

/// One row of `datastores`.
package struct DatastoreRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    package var defaultVersionID: String?

    package init(id: String, name: String, defaultVersionID: String?) {
        self.id = id
        self.name = name
        self.defaultVersionID = defaultVersionID
    }
}

/// One row of `datastore_versions`.
package struct DatastoreVersionRecord: Sendable, Hashable {
    package var id: String
    package var datastoreID: String
    package var name: String
    package var number: String
    package var isActive: Bool
    package var packages: [String]
    /// Plugin references by role: `{"datastore": "id[@version]", "backup": …, "replication": …}`.
    package var plugins: JSONValue

    package init(
        id: String, datastoreID: String, name: String, number: String, isActive: Bool, packages: [String],
        plugins: JSONValue
    ) {
        self.id = id
        self.datastoreID = datastoreID
        self.name = name
        self.number = number
        self.isActive = isActive
        self.packages = packages
        self.plugins = plugins
    }
}

/// One accepted operation and how far it has come. One row of `journal`.
package struct JournalRecord: Sendable, Hashable {
    package enum State: String, Sendable { case ready, running, done, failed }

    package var id: String
    package var requestID: String
    package var projectID: String
    package var userID: String
    /// The flow's name, e.g. `create_instance`.
    package var flow: String
    /// The noun it works on: an instance or a backup id.
    package var resourceID: String
    package var input: JSONValue
    package var state: State
    /// Name of the step last recorded; empty before the first.
    package var step: String
    /// Whether that step's effect is done (recorded after it) or only begun.
    package var stepIsDone: Bool
    /// What steps left for later ones.
    package var scratch: JSONValue
    /// How often the current step has been tried.
    package var attempt: Int
    /// Not before this time.
    package var notBefore: Timestamp
    package var leaseOwner: String?
    package var leaseExpires: Timestamp?
    /// Grows with each claim; a write with an older number is refused.
    package var fence: Int
    package var error: String?
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        id: String, requestID: String, projectID: String, userID: String, flow: String, resourceID: String,
        input: JSONValue, created: Timestamp
    ) {
        self.id = id
        self.requestID = requestID
        self.projectID = projectID
        self.userID = userID
        self.flow = flow
        self.resourceID = resourceID
        self.input = input
        state = .ready
        step = ""
        stepIsDone = false
        scratch = [:]
        attempt = 0
        notBefore = created
        fence = 0
        self.created = created
        updated = created
    }
}

/// Something made outside the state store, written down before it is made.
package struct LedgerEntry: Sendable, Hashable {
    /// `process`, `engine`, `mount`, `loop`, `image`, `cgroup`, `address`, `uid`, `directory`, `object`.
    package var kind: String
    /// Deterministic: a repeat finds the same thing by it.
    package var tag: String
    /// The instance or backup it belongs to.
    package var ownerID: String
    package var created: Timestamp

    package init(kind: String, tag: String, ownerID: String, created: Timestamp) {
        self.kind = kind
        self.tag = tag
        self.ownerID = ownerID
        self.created = created
    }
}

/// What a project uses now, computed from live rows.
package struct QuotaUsage: Sendable, Hashable {
    package var instances = 0
    package var ramMiB = 0
    package var volumesGiB = 0
    package var backups = 0

    package init() {}
}
