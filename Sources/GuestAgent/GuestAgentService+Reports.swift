// SPDX-License-Identifier: Apache-2.0

import Calls
import Model
import PluginHost

/// What plugins report by themselves.
extension GuestAgentService {
    func take(_ report: PluginReport, context: RequestContext?) async {
        switch report {
        case .serviceStatus(let health):
            // Until the agent asks again; of an engine that does not run it says nothing.
            guard preparationState == .prepared, engine.state == .running else { return }
            self.health = health
            await self.report(isForced: false)
        case .rootEnabled:
            await mailbox.post(.root(userID: context?.userID, isEnabled: true), context: context)
        case .backup(let id, let message):
            await mailbox.post(.note(backupID: id, message: message), context: context)
        }
    }
}
