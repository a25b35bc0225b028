// SPDX-License-Identifier: Apache-2.0

extension FlowName {
    /// What the flow does, step by step, as a dry run tells it. The names are those of the flow's own steps.
    package var plan: [(step: String, effect: String)] {
        switch self {
        case .createInstance:
            [
                ("allocate", "Reserves an address and a user for the instance."),
                ("bus", "Makes the guest's account and key on the message bus."),
                ("boot", "Starts the instance's server with its guest agent."),
                ("access", "Enforces the access rules."), ("volume", "Makes and mounts the volume."),
                ("prepare", "Installs and starts the datastore, and makes databases and users."),
                ("modules", "Applies the modules."),
            ]
        case .deleteInstance:
            [
                ("stop", "Stops the datastore."), ("server", "Removes the instance's server."),
                ("bus", "Removes the guest's account on the message bus."),
                ("volume", "Removes the volume and all data on it."), ("network", "Gives the address back."),
            ]
        case .restartInstance:
            [("restart", "Restarts the datastore."), ("report", "Waits until the datastore serves.")]
        case .rebootInstance:
            [
                ("stop", "Stops the datastore."), ("server", "Restarts the instance's server."),
                ("engine", "Starts the datastore."), ("report", "Waits until the datastore serves."),
            ]
        case .createBackup: [("stream", "Reads the datastore's data and writes them, sealed, to the object store.")]
        case .deleteBackup: [("object", "Removes the backup's objects.")]
        case .migratePlugin:
            [
                ("pin", "Gives the instance the other version of the plugin."),
                ("agent", "Replaces the guest agent by one that has it."),
            ]
        case .attachConfiguration: [("apply", "Gives the datastore the group's values.")]
        case .detachConfiguration: [("apply", "Gives the datastore its own values again.")]
        case .applyConfiguration: [("apply", "Gives the datastore the group's changed values.")]
        case .reapplyModule: [("apply", "Applies the module anew to the instances that have it.")]
        case .updateAccess: [("apply", "Enforces the access rules.")]
        case .upgradeGuest: [("agent", "Replaces the guest agent by one of the release that its host has.")]
        case .resizeVolume, .resizeFlavor, .upgradeInstance, .rebuildInstance: reshapePlan
        }
    }

    private var reshapePlan: [(step: String, effect: String)] {
        let stop = ("stop", "Stops the datastore.")
        let start = ("start", "Starts the datastore.")
        let report = ("report", "Waits until the datastore serves.")
        let configuration = ("configuration", "Gives the datastore the settings of its new size.")
        switch self {
        case .resizeVolume: return [("volume", "Grows the volume and its file system."), configuration]
        case .resizeFlavor: return [stop, ("server", "Gives the server its new limits."), configuration, start, report]
        case .upgradeInstance:
            return [
                ("prepare", "Has the datastore's plugin prepare the upgrade."), stop,
                ("agent", "Replaces the guest agent by one that has the other version's plugins."),
                ("upgrade", "Upgrades the datastore's data while it is stopped."), start,
                ("complete", "Completes the upgrade while the datastore runs."), report,
            ]
        case .rebuildInstance:
            return [
                stop, ("server", "Makes the server anew around the volume."),
                ("configuration", "Gives the datastore its settings again."), start, report,
            ]
        default: return []
        }
    }
}
