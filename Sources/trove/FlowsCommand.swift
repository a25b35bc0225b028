// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TaskManager

/// Lists the points at which a recovery drill can end the control plane.
struct FlowsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows",
        abstract: "List the flows' steps as points for 'trove serve --crash-at'."
    )

    func run() {
        for point in FlowCatalogue.crashPoints { Output.line(point.description) }
    }
}
