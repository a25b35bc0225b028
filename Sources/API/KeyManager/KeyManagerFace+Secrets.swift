// SPDX-License-Identifier: Apache-2.0

import Identity
import KeyManager
import Model
import StateStore

/// `/v1/secrets[/{id}[/payload]]`.
extension KeyManagerFace {
    /// 201 `{"secret_ref"}`.
    func createSecret(_ request: APIRequest, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        let now = services.clock.now
        let wish = try SecretRequest(try await document(request), now: now)
        var record = SecretRecord(
            id: services.random.uuid(), projectID: caller.projectID, type: wish.type, creatorID: caller.userID,
            created: now)
        record.name = wish.name
        record.algorithm = wish.algorithm
        record.mode = wish.mode
        record.bitLength = wish.bitLength
        record.expires = wish.expires
        if let payload = wish.payload {
            record.contentType = payload.type
            record.payload = try await seal(payload.bytes, record.projectID, record.id)
        }
        let (made, limit) = (record, management.projectLimit)
        try await services.store.write(.durable) { transaction in
            try transaction.secrets.removeExpired(projectID: made.projectID, now: now)
            let count = try transaction.secrets.count(projectID: made.projectID, SecretFilter(), now: now)
            try require(limit, above: count, "secrets")
            try transaction.secrets.insert(made)
        }
        return self.made("secret_ref", reference(.secrets, record.id))
    }

    func listSecrets(_ request: APIRequest, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        let page = try KeyManagerPage(
            request.query,
            refusing: ["created", "updated", "expiration", "sort", "acl_only"])
        var wanted = SecretFilter(name: page.name)
        (wanted.type, wanted.algorithm, wanted.mode) = (page["secret_type"], page["alg"], page["mode"])
        // A number that is none is as none, with Barbican.
        wanted.bitLength = page["bits"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        let filter = wanted
        let (now, project) = (services.clock.now, caller.projectID)
        let (records, total) = try await services.store.read { transaction in
            (
                try transaction.secrets.page(
                    projectID: project, filter, now: now, offset: page.offset, limit: page.limit),
                try transaction.secrets.count(projectID: project, filter, now: now)
            )
        }
        return page.response("secrets", records.map(view), total: total, address: base + "/secrets")
    }

    /// The secret without its payload, or that for a caller who accepts no JSON.
    func showSecret(
        _ id: String, _ request: APIRequest, _ caller: AuthenticatedIdentity
    ) async throws -> APIResponse {
        guard AcceptedTypes(request.header("accept")).allows("application/json") else {
            return try await payload(id, request, caller)
        }
        return APIResponse(status: 200, body: view(try await secret(id, caller)).serialized)
    }

    func payload(_ id: String, _ request: APIRequest, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        let record = try await secret(id, caller)
        guard let box = record.payload, let type = record.contentType else {
            throw KeyManagerFault(404, "Not Found. Sorry but your secret has no payload.")
        }
        let accepted = AcceptedTypes(request.header("accept"))
        // A text is bytes too.
        guard accepted.allows(type) || (type == "text/plain" && accepted.allows(SecretRequest.binary)) else {
            throw KeyManagerFault(406, "Secret payload retrieval issue seen - Wrong payload content-type.")
        }
        let bytes: [UInt8]
        do throws(KeyManagerError) {
            bytes = try await management.seal.open(box, projectID: record.projectID, secretID: id)
        } catch { throw KeyManagerFault(error) }
        var response = APIResponse(status: 200, body: bytes)
        response.contentType = accepted.allows(type) ? type : SecretRequest.binary
        if response.contentType == "text/plain" { response.contentType += "; charset=UTF-8" }
        response.headers.append(("cache-control", "no-store"))
        return response
    }

    /// Gives a payload to a secret that was made without one. 204.
    func fillSecret(
        _ id: String, _ request: APIRequest, _ caller: AuthenticatedIdentity
    ) async throws -> APIResponse {
        let type = try SecretRequest.contentType(request.header("content-type"))
        let bytes = try SecretRequest.payload(
            try await request.bytes(limit: SecretRequest.bodyBytes), type: type,
            encoding: request.header("content-encoding"))
        let record = try await secret(id, caller)
        let box = try await seal(bytes, record.projectID, id)
        let now = services.clock.now
        do {
            try await services.store.write(.durable) {
                try $0.secrets.setPayload(id, contentType: type, payload: box, now: now)
            }
        } catch let error as StateStoreError where error.code == .conflict {
            throw KeyManagerFault(409, "Secret already has data, cannot modify it.")
        }
        return APIResponse(status: 204)
    }

    func deleteSecret(_ id: String, _ caller: AuthenticatedIdentity) async throws -> APIResponse {
        _ = try await secret(id, caller)
        try await services.store.write(.durable) { try $0.secrets.remove(id) }
        return APIResponse(status: 204)
    }

    private func secret(_ id: String, _ caller: AuthenticatedIdentity) async throws -> SecretRecord {
        let record = try await services.store.read { try $0.secrets.find(id) }
        guard let record, !record.isExpired(services.clock.now) else { throw KeyManagerFault(404, "Secret not found.") }
        guard record.projectID == caller.projectID || caller.isAdmin else { throw KeyManagerFault.otherProject }
        return record
    }

    private func seal(_ bytes: [UInt8], _ projectID: String, _ id: String) async throws(KeyManagerFault) -> String {
        do throws(KeyManagerError) {
            return try await management.seal.seal(bytes, projectID: projectID, secretID: id)
        } catch { throw KeyManagerFault(error) }
    }

    func reference(_ kind: KeyReference.Kind, _ id: String) -> String { "\(base)/\(kind.rawValue)/\(id)" }

    private func view(_ record: SecretRecord) -> JSONValue {
        var members: [String: JSONValue] = [
            "secret_ref": .string(reference(.secrets, record.id)), "name": .optional(record.name), "status": "ACTIVE",
            "secret_type": .string(record.type), "algorithm": .optional(record.algorithm),
            "mode": .optional(record.mode), "bit_length": .optional(record.bitLength),
            "expiration": .optional(record.expires.map(ISOTime.text)), "creator_id": .string(record.creatorID),
            "created": .string(ISOTime.text(record.created)), "updated": .string(ISOTime.text(record.updated)),
        ]
        if let type = record.contentType { members["content_types"] = ["default": .string(type)] }
        return .object(members)
    }
}
