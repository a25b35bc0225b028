// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// How a guest reports; every method is a cast.
package struct ConductorClient: Sendable {
    let client: any RPCClient
    private let random: any RandomSource

    package init(_ client: any RPCClient, random: any RandomSource = SystemRandomSource()) {
        self.client = client
        self.random = random
    }

    /// Reports the engine's state; without a context, under a request id of its own.
    package func heartbeat(
        _ instanceID: String, status: ServiceStatus, volumeUsedBytes: Int?, sent: Timestamp,
        context: RequestContext? = nil
    ) async throws(MessagingError) {
        let report = HeartbeatReport(
            instanceID: instanceID, status: status, volumeUsedBytes: volumeUsedBytes, sent: sent
        )
        try await cast(.heartbeat, report.arguments, context ?? fresh())
    }

    /// Reports how far a backup is; what is nil is left as the conductor knows it.
    package func updateBackup(
        _ instanceID: String, backupID: String, state: BackupState, sizeBytes: Int? = nil, backupType: String? = nil,
        checksum: String? = nil, location: String? = nil, position: JSONValue? = nil, message: String? = nil,
        sent: Timestamp, context: RequestContext? = nil
    ) async throws(MessagingError) {
        let report = BackupReport(
            instanceID: instanceID, backupID: backupID, state: state, sizeBytes: sizeBytes, backupType: backupType,
            checksum: checksum, location: location, position: position, message: message, sent: sent
        )
        try await cast(.updateBackup, report.arguments, context ?? fresh())
    }

    /// Reports that root was enabled or disabled.
    package func reportRoot(
        _ instanceID: String, userID: String?, enabled: Bool, context: RequestContext? = nil
    ) async throws(MessagingError) {
        let report = RootReport(instanceID: instanceID, userID: userID, isEnabled: enabled)
        try await cast(.reportRoot, report.arguments, context ?? fresh())
    }

    /// Reports a failure for the instance's owner.
    package func reportFault(
        _ instanceID: String, message: String, details: String, context: RequestContext? = nil
    ) async throws(MessagingError) {
        let context = context ?? fresh()
        let report = FaultReport(instanceID: instanceID, message: message, details: details)
        try await cast(.reportFault, report.arguments(requestID: context.requestID), context)
    }

    /// Reports that a fatal signal in a plugin ended the agent before this one.
    package func reportPluginFault(
        _ instanceID: String, plugin: String, signal: Int, sent: Timestamp, context: RequestContext? = nil
    ) async throws(MessagingError) {
        let report = PluginFaultReport(instanceID: instanceID, plugin: plugin, signal: signal, sent: sent)
        try await cast(.reportPluginFault, report.arguments, context ?? fresh())
    }

    func fresh() -> RequestContext { RequestContext(requestID: random.requestID()) }

    private func cast(
        _ verb: ConductorVerb, _ arguments: [String: JSONValue], _ context: RequestContext
    ) async throws(MessagingError) {
        try await client.cast(ConductorVerb.topic, verb.rawValue, arguments, context: context, version: "1.0")
    }
}
