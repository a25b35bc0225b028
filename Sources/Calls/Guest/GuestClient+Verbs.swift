// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

extension GuestClient {
    /// Prepares the guest for its first start.
    ///
    /// Request:  `PrepareArguments`, as a cast; progress and the final state come by heartbeat.
    package func prepare(
        _ instanceID: String, _ arguments: PrepareArguments, context: RequestContext
    ) async throws(MessagingError) {
        try await call(instanceID, .prepare, arguments.arguments, context: context)
    }

    /// Stops and starts the engine; returns when it answers again.
    package func restart(_ instanceID: String, context: RequestContext) async throws(MessagingError) {
        try await call(instanceID, .restart, context: context)
    }

    /// Stops the engine; returns when it is gone.
    package func stopDatabase(_ instanceID: String, context: RequestContext) async throws(MessagingError) {
        try await call(instanceID, .stopDatabase, context: context)
    }

    /// Asks whether the agent is there; it also reports its status to the conductor.
    ///
    /// - Throws: `badMessage` when it answers with anything but true.
    package func ping(_ instanceID: String, context: RequestContext) async throws(MessagingError) {
        guard try await call(instanceID, .ping, context: context) == true else {
            throw MessagingError(.badMessage, "the guest of instance \(instanceID) answered a ping with something else")
        }
    }

    /// Starts a backup, as a cast; what comes of it comes through the conductor.
    package func createBackup(
        _ instanceID: String, _ info: BackupInfo, context: RequestContext
    ) async throws(MessagingError) {
        try await call(instanceID, .createBackup, ["backup_info": info.json], context: context)
    }

    /// Gives the engine other values of configuration parameters, now where it takes them and with its next start.
    ///
    /// - Parameters:
    ///   - values: Parameter to value; null takes one away.
    ///   - contents: The whole configuration with them, as the datastore's policy renders it.
    /// - Returns: Names of parameters that take effect with the next start.
    package func applyConfiguration(
        _ instanceID: String, values: [String: JSONValue], contents: String, context: RequestContext
    ) async throws(MessagingError) -> [String] {
        let reply = try await call(
            instanceID, .applyConfiguration, ["values": .object(values), "config_contents": .string(contents)],
            context: context)
        guard let names = reply["restart_required"]?.arrayValue else {
            throw MessagingError(
                .badMessage, "the guest of instance \(instanceID) does not say which parameters need a restart")
        }
        return names.compactMap(\.stringValue)
    }

    /// One moment of an upgrade to another datastore version: `.preUpgrade`, `.upgrade` or `.postUpgrade`.
    ///
    /// - Parameter contents: The whole configuration of the new version, as the datastore's policy renders it.
    package func upgrade(
        _ instanceID: String, _ moment: GuestVerb, from: String, to: String, contents: String, context: RequestContext
    ) async throws(MessagingError) {
        let info: JSONValue = ["from": .string(from), "to": .string(to), "config_contents": .string(contents)]
        try await call(instanceID, moment, ["upgrade_info": info], context: context)
    }

    /// Reads how full the data volume is.
    package func filesystemStats(
        _ instanceID: String, context: RequestContext
    ) async throws(MessagingError) -> FilesystemStats {
        let reply = try await call(instanceID, .getFilesystemStats, ["fs_path": .null], context: context)
        guard let stats = FilesystemStats(json: reply) else {
            throw MessagingError(
                .badMessage, "the guest of instance \(instanceID) answered with incomplete volume data")
        }
        return stats
    }
}
