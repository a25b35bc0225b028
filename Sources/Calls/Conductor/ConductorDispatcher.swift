// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// What records the guests' reports.
package protocol ConductorEndpoint: Sendable {
    func heartbeat(_ report: HeartbeatReport, context: RequestContext) async throws
    func updateBackup(_ report: BackupReport, context: RequestContext) async throws
    func reportRoot(_ report: RootReport, context: RequestContext) async throws
    func reportFault(_ report: FaultReport, context: RequestContext) async throws
    func reportPluginFault(_ report: PluginFaultReport, context: RequestContext) async throws
    /// Hands a plugin's message on; what comes back for a cast is dropped.
    func plugin(_ message: PluginMessage, context: RequestContext) async throws -> JSONValue
}

extension ConductorEndpoint {
    package func plugin(_ message: PluginMessage, context: RequestContext) async throws -> JSONValue {
        throw RPCFault.noSuchMethod(ConductorVerb.pluginCall.rawValue)
    }
}

/// Turns requests on the conductor's topic into reports.
package struct ConductorDispatcher: RPCEndpoint {
    private let endpoint: any ConductorEndpoint

    package init(_ endpoint: any ConductorEndpoint) { self.endpoint = endpoint }

    package func handle(_ request: RPCRequest) async throws -> JSONValue {
        guard let verb = ConductorVerb(rawValue: request.method) else { throw RPCFault.noSuchMethod(request.method) }
        try verb.arguments.check(request.arguments, method: request.method)
        let arguments = request.arguments
        switch verb {
        case .heartbeat:
            try await endpoint.heartbeat(HeartbeatReport(arguments: arguments), context: request.context)
        case .updateBackup:
            try await endpoint.updateBackup(BackupReport(arguments: arguments), context: request.context)
        case .reportRoot:
            try await endpoint.reportRoot(RootReport(arguments: arguments), context: request.context)
        case .reportFault:
            try await endpoint.reportFault(FaultReport(arguments: arguments), context: request.context)
        case .pluginCall, .pluginCast:
            return try await endpoint.plugin(
                PluginMessage(arguments: arguments, method: request.method), context: request.context)
        case .reportPluginFault:
            try await endpoint.reportPluginFault(PluginFaultReport(arguments: arguments), context: request.context)
        }
        return .null
    }
}
