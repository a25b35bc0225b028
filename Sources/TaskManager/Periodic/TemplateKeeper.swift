// SPDX-License-Identifier: Apache-2.0

import Compute
import Logging
import Model
import PluginHost
import StateStore

/// Makes the template of every active datastore version in the background, so that a create only copies it.
struct TemplateKeeper: Sendable {
    let services: FlowServices
    let logger: Logger

    func run() async {
        do {
            let versions = try await services.store.read { transaction in
                try transaction.datastores.allVersions().filter(\.isActive)
            }
            for version in versions where !Task.isCancelled { await make(version) }
        } catch {
            logger.error("the catalogue could not be read", metadata: ["error": "\(error)"])
        }
    }

    private func make(_ version: DatastoreVersionRecord) async {
        let started = ContinuousClock.now
        do {
            guard let request = try await request(for: version) else { return }
            try await services.compute.ensureTemplate(request)
            logger.notice(
                "template ready",
                metadata: [
                    "datastore.name": "\(request.datastoreName)", "datastore.version": "\(request.versionName)",
                    "duration.ms": "\(started.duration(to: .now).microseconds / 1000)",
                ]
            )
        } catch is CancellationError {
        } catch {
            logger.error(
                "template could not be made; creates of this version will try again",
                metadata: ["datastore.version": "\(version.name)", "error": "\(describe(error))"]
            )
        }
    }

    private func request(for version: DatastoreVersionRecord) async throws -> TemplateRequest? {
        guard let flavor = services.configuration.flavors.first else { return nil }
        let subjectOf = InstanceRecord(
            id: "template", name: "", projectID: "", flavorID: flavor.id, volumeGiB: 1,
            datastoreVersionID: version.id, created: services.clock.now
        )
        let subject = try await InstanceSubject.load(subjectOf, services: services)
        let answer = try await services.plugins.policy(
            subject.plugin("datastore"), .requirements, ["version": .string(version.name)],
            CallOptions(
                deadline: .after(.seconds(30)),
                context: RequestContext(requestID: services.random.requestID())
            )
        )
        let requirements = try EngineRequirements(json: answer)
        guard requirements.hasTemplate else { return nil }
        return try await subject.template(services, requirements: requirements)
    }

    private func describe(_ error: any Error) -> String {
        switch error {
        case let error as ComputeError: error.message
        case let error as PluginError: "\(error.message) (plugin \(error.pluginID))"
        case let error as FlowError: error.message
        default: "\(error)"
        }
    }
}
