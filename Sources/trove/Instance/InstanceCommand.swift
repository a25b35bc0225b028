// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// A tenant's commands about instances.
struct InstanceCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "instance", "Make, change and look at database instances.",
        [
            ListCommand<Instances, InstanceFilter>.self, ShowStatusCommand<Instances>.self, CreateInstanceCommand.self,
            DeleteInstanceCommand.self, ForceDeleteInstanceCommand.self, UpdateInstanceCommand.self,
            DetachReplicaCommand.self, UpgradeInstanceCommand.self, ResizeCommand.self,
            InstanceVerbCommand<Restart>.self, InstanceVerbCommand<Promote>.self, InstanceVerbCommand<Eject>.self,
            InstanceVerbCommand<ResetStatus>.self, InstanceVerbCommand<Reboot>.self, RootCommand.self,
            InstanceTLSCommand.self, InstanceActionCommand.self,
        ])
}

enum Instances: Collection {
    static let resource = Resource.instance
}

struct InstanceFilter: ListFilter {
    @Flag(help: "List members of clusters too.") var includeClustered = false
    @Flag(help: "List those of all projects; for administrators.") var allProjects = false
    @Option(help: ArgumentHelp("List those of this project; for administrators.", valueName: "id")) var projectId:
        String?

    func path(_ resource: Resource, _ client: ServiceClient) -> String {
        let clustered = includeClustered ? "true" : nil
        guard allProjects || projectId != nil else {
            return resource.path + PathText.query(["include_clustered": clustered])
        }
        return "/mgmt" + resource.path
            + PathText.query(["deleted": "false", "include_clustered": clustered, "project_id": projectId])
    }
}
