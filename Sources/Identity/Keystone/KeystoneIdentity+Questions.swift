// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Synchronization

extension KeystoneIdentity {
    /// Trouble that goes on is told once in so long.
    private static let warningInterval = Duration.seconds(60)

    /// Asks Keystone about a token, once however many ask for it, and remembers the answer.
    ///
    /// - Throws: `.unauthorized`; `.overloaded`; `.unavailable`, at once when Keystone does not answer and another finds out.
    func ask(_ token: String, _ key: TokenKey) async throws(IdentityError) -> AuthenticatedIdentity {
        try await validations.run(key) { () async throws(IdentityError) -> AuthenticatedIdentity in
            // Somebody may have asked since this caller looked.
            switch state.withLock({ $0.cache.decide(key, now: uptime()) }) {
            case .fresh(let identity): return identity
            case .unknown: throw .unauthorized
            case .stale, .ask: break
            }
            let admission = state.withLock { $0.availability.admitQuestion() }
            guard admission != .refused else { throw .unanswered }
            defer { state.withLock { $0.availability.endQuestion(admission) } }
            do throws(IdentityError) {
                return try await question(token, key, by: .now + configuration.timeout)
            } catch {
                if error.code == .unavailable { wentAway(error) }
                throw error
            }
        }
    }

    /// The second try is for a service token that ended before its time.
    private func question(
        _ token: String, _ key: TokenKey, by deadline: ContinuousClock.Instant
    ) async throws(IdentityError) -> AuthenticatedIdentity {
        for _ in 0..<2 {
            let service = try await serviceToken(by: deadline)
            state.withLock { $0.counts.asked += 1 }
            let verdict: KeystoneClient.Verdict
            do throws(IdentityError) {
                verdict = try await client.validate(token, expiry: key.expiry, as: service, by: deadline)
            } catch { throw refusal(error) }
            switch verdict {
            case .good(let document):
                cameBack()
                let lifetime = key.expiry == .allowed ? nil : document.identity.expires - clock.now
                state.withLock { $0.cache.accept(key, document.identity, lifetime: lifetime, now: uptime()) }
                return document.identity
            case .unknown:
                cameBack()
                state.withLock { $0.cache.refuse(key, now: uptime()) }
                throw .unauthorized
            case .serviceTokenRefused: state.withLock { $0.session.drop(service) }
            }
        }
        throw IdentityError(.unavailable, "Keystone refuses tokens that it has just made for the service user.")
    }

    /// The service user's token: the one at hand, or a new one, asked for once however many need it.
    ///
    /// - Throws: `.unavailable`.
    func serviceToken(by deadline: ContinuousClock.Instant) async throws(IdentityError) -> KeystoneClient.ServiceToken {
        if let token = state.withLock({ $0.session.current(now: uptime()) }) { return token }
        return try await logins.run(true) { () async throws(IdentityError) -> KeystoneClient.ServiceToken in
            let asked = uptime()
            let (token, refusal) = state.withLock { state in
                (state.session.current(now: asked), state.session.refusal(now: asked))
            }
            if let token { return token }
            if let refusal { throw refusal }
            do throws(IdentityError) {
                let token = try await client.logIn(by: deadline)
                state.withLock { state in
                    state.session.made(token, asked: asked)
                    state.counts.logins += 1
                }
                return token
            } catch { throw self.refusal(error) }
        }
    }

    /// What the service user may not do is the operator's trouble, and to clients the same as an absent Keystone.
    private func refusal(_ error: IdentityError) -> IdentityError {
        guard error.code == .forbidden else { return error }
        let outcome = IdentityError(.unavailable, error.message)
        state.withLock { $0.session.refused(outcome, now: uptime()) }
        return outcome
    }
}

extension KeystoneIdentity {
    private func wentAway(_ error: IdentityError) {
        let isNews = state.withLock { state in
            let now = uptime()
            _ = state.availability.failed(retryAfter: error.retryAfter.map { .seconds($0) }, now: now)
            if let last = state.lastWarning, now - last < Self.warningInterval { return false }
            (state.lastWarning, state.isWarned) = (now, true)
            return true
        }
        guard isNews else { return }
        logger.warning("tokens cannot be validated", metadata: ["error.message": .string(error.message)])
    }

    private func cameBack() {
        let isNews = state.withLock { state in
            guard state.availability.answered(), state.isWarned else { return false }
            state.isWarned = false
            return true
        }
        if isNews { logger.notice("tokens are validated again") }
    }
}
