// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// A tenant's commands about clusters.
struct ClusterCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "cluster", "Show and delete clusters.",
        [ListCommand<Clusters, NoFilter>.self, ShowStatusCommand<Clusters>.self, DeleteCommand<Clusters>.self])
}

enum Clusters: Collection {
    static let resource = Resource.cluster
}
