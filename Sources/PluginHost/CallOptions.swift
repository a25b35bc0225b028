// SPDX-License-Identifier: Apache-2.0

package import Model

/// What accompanies every call of a plugin.
package struct CallOptions: Sendable {
    /// The call is asked to stop here and answered with `timedOut`.
    package var deadline: Deadline
    /// On whose behalf; goes into the logs.
    package var context: RequestContext
    package var instanceID: String?
    /// Of the frame that asked for the call; nil where there are no frames.
    var frameID: Int?
    /// Permille done (-1: unknown) and a sentence; thinned out to four a second. Called on a foreign thread: return at
    /// once.
    package var onProgress: (@Sendable (Int, String) -> Void)?

    package init(
        deadline: Deadline,
        context: RequestContext,
        instanceID: String? = nil,
        onProgress: (@Sendable (Int, String) -> Void)? = nil
    ) {
        self.deadline = deadline
        self.context = context
        self.instanceID = instanceID
        self.onProgress = onProgress
    }
}
