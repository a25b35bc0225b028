// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import StateStore

/// Does what has an `Idempotency-Key` once, whichever API process is asked again, and answers again what was answered first.
///
/// The key is claimed before the route runs; every transaction in which the route changes something also says so beside the key, so
/// that it is known what a process did that ended before it answered. Source: docs/rest-api.md.
struct IdempotentRequests: Sendable {
    static let keptFor = Duration.seconds(24 * 3600)
    /// Larger answers are not kept.
    private static let maximumAnswer = 4 << 20
    private static let attempts = 3

    let services: APIServices

    /// Longer than a route may take.
    private var lease: Duration { services.configuration.pluginRouteTimeout + .seconds(60) }

    /// - Parameter path: Below the project, as it was sent.
    func run(
        _ call: APICall, path: String, _ handle: (APICall) async throws -> APIResponse
    ) async throws -> APIResponse {
        guard call.request.method == "POST", let text = try IdempotencyKey.text(call.request) else {
            return try await handle(call)
        }
        let body = try await call.request.bytes(limit: call.configuration.maximumBodyBytes)
        let key = IdempotencyKey(text, path: path, call, body: body)
        let claim = IdempotencyClaim(
            id: key.id, projectID: call.context.projectID, path: path, requestDigest: key.requestDigest,
            owner: call.context.requestID, lease: lease, keptFor: Self.keptFor)
        let outcome = try await services.store.write(.relaxed) { try $0.idempotencyKeys.claim(claim) }
        switch outcome {
        case .claimed: return try await first(call.once(body, under: claim), claim, key, handle)
        case .done(let status, let answer): return try replay(status, answer, key)
        case .running:
            var fault = APIFault(
                409, "The first request with the Idempotency-Key '\(text)' is still running; please try again.")
            fault.retryAfter = 1
            throw fault
        case .answerLost: throw Self.answerLost(key)
        case .otherRequest:
            throw APIFault(
                422, "The Idempotency-Key '\(text)' was used for another request; each request needs a key of its own.")
        }
    }

    private static func answerLost(_ key: IdempotencyKey) -> APIFault {
        APIFault(
            409,
            "The first request with the Idempotency-Key '\(key.text)' was accepted, but its answer is lost; look for what it "
                + "did before you send it under another key.")
    }

    private func first(
        _ call: APICall, _ claim: IdempotencyClaim, _ key: IdempotencyKey,
        _ handle: (APICall) async throws -> APIResponse
    ) async throws -> APIResponse {
        do {
            let response = try await handle(call)
            await keep(response, claim, key)
            return response
        } catch {
            await keep(APIFault(error)?.response, claim, key)
            throw error
        }
    }

    /// Failures of the service and refusals that may not last are no answers to keep.
    static func isKept(_ response: APIResponse) -> Bool {
        response.status < 500 && ![401, 403, 413].contains(response.status) && response.header("retry-after") == nil
            && response.body.count <= maximumAnswer
    }

    private func keep(_ response: APIResponse?, _ claim: IdempotencyClaim, _ key: IdempotencyKey) async {
        var answer: (status: Int, box: String)?
        if let response, Self.isKept(response), let box = try? key.box(secret).seal(response.body) {
            answer = (response.status, box)
        }
        for attempt in 1...Self.attempts {
            do {
                return try await services.store.write(.relaxed) { [answer] transaction in
                    let keys = transaction.idempotencyKeys
                    guard let answer else { return try keys.release(id: claim.id, owner: claim.owner) }
                    try keys.finish(id: claim.id, owner: claim.owner, status: answer.status, answer: answer.box)
                }
            } catch {
                guard attempt < Self.attempts, (error as? StateStoreError)?.isRetryable == true else {
                    services.logger.warning(
                        "the answer to a request with an idempotency key could not be kept",
                        metadata: ["request.id": .string(claim.owner), "error": .string("\(error)")])
                    return
                }
                try? await Task.sleep(for: .milliseconds(100 * attempt))
            }
        }
    }

    private func replay(_ status: Int, _ answer: String, _ key: IdempotencyKey) throws -> APIResponse {
        guard let body = try? key.box(secret).open(answer) else {
            services.logger.warning("a kept answer does not open; was the passphrase changed?")
            throw Self.answerLost(key)
        }
        var response = APIResponse(status: status, body: body)
        response.headers.append(("idempotency-replayed", "true"))
        return response
    }

    private var secret: Secret? { services.configuration.answerPassphrase }
}

extension APICall {
    /// The same call, with its body read, whose transactions are those of the claim's first request.
    fileprivate func once(_ body: [UInt8], under claim: IdempotencyClaim) -> APICall {
        var request = request
        request.body = body.isEmpty ? .none : .bytes(body)
        var copy = APICall(
            request: request, services: services.with(ClaimedStore(store: services.store, claim: claim)),
            context: context, now: now)
        copy.parameters = parameters
        copy.declaredBody = declaredBody
        return copy
    }
}

/// The state store for one request with a key: what the request changes is changed while the key is still its own, or not at all.
private struct ClaimedStore: StateStore {
    let store: any StateStore
    let claim: IdempotencyClaim

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value { try await store.read(body) }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try await store.write(durability) { [claim] transaction in
            let value = try body(transaction)
            try transaction.idempotencyKeys.accept(id: claim.id, owner: claim.owner)
            return value
        }
    }

    /// The store is everybody's.
    func close() async {}
}
