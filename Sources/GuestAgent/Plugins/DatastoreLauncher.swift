// SPDX-License-Identifier: Apache-2.0

package import Model
import PluginHost

/// Lets the supervisor ask the datastore's plugin.
package struct DatastoreLauncher: EngineLauncher {
    private let plugins: GuestPlugins

    package init(_ plugins: GuestPlugins) { self.plugins = plugins }

    /// The name under which traps of these calls are counted.
    static let verb = "start"

    package func launch() async throws -> LaunchDocument {
        try plugins.marks.check(Self.verb)
        try EngineTLS.prepareLaunch(plugins.configuration)
        let json = try await plugins.call(
            .launch, [:], verb: Self.verb, deadline: .after(.seconds(60)), context: RequestContext(requestID: ""))
        return try LaunchDocument(json: json, defaultPort: plugins.configuration.port)
    }

    package func started(deadline: Deadline) async throws {
        try plugins.marks.check(Self.verb)
        try await retrying(until: deadline) { () async throws(PluginError) in
            _ = try await plugins.call(
                .started, [:], verb: Self.verb, deadline: deadline, context: RequestContext(requestID: ""))
        }
    }
}

/// Repeats a plugin's call while its failure may pass, with growing pauses.
///
/// - Throws: The last failure.
func retrying<Value>(
    until deadline: Deadline, _ body: () async throws(PluginError) -> Value
) async throws(PluginError) -> Value {
    var pause = Duration.milliseconds(100)
    while true {
        do {
            return try await body()
        } catch {
            guard error.isRetryable, deadline.remaining > pause, !Task.isCancelled else { throw error }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }
}
