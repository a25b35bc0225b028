// SPDX-License-Identifier: Apache-2.0

package import Model

/// What the supervisor asks the datastore.
package protocol EngineLauncher: Sendable {
    /// How to start the engine now; asked before each start.
    func launch() async throws -> LaunchDocument
    /// Returns once the engine that said it is ready can be used; tries again until `deadline`.
    func started(deadline: Deadline) async throws
}

/// The engine as its supervisor sees it.
package struct EngineSnapshot: Sendable, Hashable {
    package var state: EngineStateMachine.State
    package var pid: Int32?
    /// How the last process ended; nil when none has, or since a later one became ready.
    package var lastExit: EngineExit?
    /// Why the last try to start failed; nil since one succeeded.
    package var lastFailure: String?

    package init(
        state: EngineStateMachine.State, pid: Int32? = nil, lastExit: EngineExit? = nil, lastFailure: String? = nil
    ) {
        self.state = state
        self.pid = pid
        self.lastExit = lastExit
        self.lastFailure = lastFailure
    }

    /// Why it does not run, as a sentence's end.
    package var reason: String { lastFailure ?? lastExit.map { "it \($0)" } ?? "no reason is known" }
}
