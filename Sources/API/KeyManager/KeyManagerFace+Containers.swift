// SPDX-License-Identifier: Apache-2.0

import Identity
import KeyManager
import Model
import StateStore

/// `/v1/containers[/{id}]`.
extension KeyManagerFace {
    /// 201 `{"container_ref"}`.
    func createContainer(_ request: APIRequest, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        let wish = try ContainerRequest(try await document(request), base: base)
        let now = services.clock.now
        var record = SecretContainerRecord(
            id: services.random.uuid(), projectID: caller.projectID, name: wish.name, type: wish.type,
            creatorID: caller.userID, created: now)
        record.members = wish.members
        let (made, limit) = (record, management.projectLimit)
        do {
            try await services.store.write(.durable) { transaction in
                let secrets = transaction.secrets
                for member in made.members {
                    let secret = try secrets.find(member.secretID)
                    guard let secret, secret.projectID == made.projectID, !secret.isExpired(now) else {
                        throw KeyManagerFault(404, "Secret provided for '\(member.name ?? "")' doesn't exist.")
                    }
                }
                let count = try secrets.countContainers(projectID: made.projectID, name: nil, type: nil)
                try require(limit, above: count, "containers")
                try secrets.insertContainer(made)
            }
        } catch let error as StateStoreError where error.code == .notFound {
            throw KeyManagerFault(404, "A secret of the container was deleted meanwhile.")
        }
        return self.made("container_ref", reference(.containers, record.id))
    }

    func listContainers(_ request: APIRequest, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        let page = try KeyManagerPage(request.query, refusing: [])
        let (type, project) = (page["type"], caller.projectID)
        let (records, total) = try await services.store.read { transaction in
            (
                try transaction.secrets.containers(
                    projectID: project, name: page.name, type: type, offset: page.offset, limit: page.limit),
                try transaction.secrets.countContainers(projectID: project, name: page.name, type: type)
            )
        }
        return page.response("containers", records.map(view), total: total, address: base + "/containers")
    }

    func showContainer(_ id: String, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        APIResponse(status: 200, body: view(try await container(id, caller)).serialized)
    }

    func deleteContainer(_ id: String, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        _ = try await container(id, caller)
        try await services.store.write(.durable) { try $0.secrets.removeContainer(id) }
        return APIResponse(status: 204)
    }

    private func container(_ id: String, _ caller: AuthenticatedIdentity) async throws -> SecretContainerRecord {
        guard let record = try await services.store.read({ try $0.secrets.container(id) }) else {
            throw KeyManagerFault(404, "Secrets container not found.")
        }
        guard record.projectID == caller.projectID || caller.isAdmin else { throw KeyManagerFault.otherProject }
        return record
    }

    private func view(_ record: SecretContainerRecord) -> JSONValue {
        [
            "container_ref": .string(reference(.containers, record.id)), "name": .optional(record.name),
            "type": .string(record.type), "status": "ACTIVE", "creator_id": .string(record.creatorID),
            "created": .string(ISOTime.text(record.created)), "updated": .string(ISOTime.text(record.updated)),
            "consumers": [],
            "secret_refs": .array(
                record.members.map {
                    ["name": .optional($0.name), "secret_ref": .string(reference(.secrets, $0.secretID))]
                }),
        ]
    }
}
