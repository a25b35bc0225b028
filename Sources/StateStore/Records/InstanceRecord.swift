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
    /// The host whose local compute has the instance; nil before it is placed, and where compute is a service.
    package var computeHost: String?
    /// The key of its messages, sealed under the control plane's passphrase, in Base64; nil: plain messages.
    package var encryptedKey: String?
    /// Its configuration group.
    package var configurationID: String?
    /// The cluster that it is a member of.
    package var membership: ClusterMembership?
    /// The TLS of its engine as its guest told last: `basic`, `enforced` or `mtls`; nil: the engine's own. Written by
    /// `setTLSMode` alone.
    package var tlsMode: String?
    /// `{"is_public": bool, "allowed_cidrs": [text]}` as stored; `nil` when never set.
    package var access: JSONValue?
    /// Pinned plugins, `{"datastore": "id@version", "backup": "id@version"}`.
    package var plugins: JSONValue {
        get { storedPlugins.value }
        set { storedPlugins = StoredJSON(newValue) }
    }
    var storedPlugins: StoredJSON
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
        storedPlugins = StoredJSON(plugins)
        version = 0
    }
}
