// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a list or a show needs of an instance, from one statement.
package struct InstanceSummary: Sendable, Hashable {
    package var instance: InstanceRecord
    package var datastoreName: String
    package var datastoreVersionName: String
    package var datastoreVersionNumber: String
    /// Whether a backup of it is NEW, BUILDING or SAVING.
    package var backupIsRunning: Bool
    package var fault: FaultRecord?
    package var configuration: ConfigurationReference?

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
