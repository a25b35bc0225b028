// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

extension BuiltInIdentity {
    /// Checks who asks, and makes a token for the scope.
    ///
    /// - Throws: `.unauthorized` for a wrong user, password, token or scope, without telling which; `.badRequest`,
    ///   `.tooManyAttempts`, `.unavailable`.
    func issueToken(for request: AuthenticationRequest) async throws(IdentityError) -> VerifiedToken {
        let now = clock.now
        var userID: String?
        var methods: TokenMethods = []
        var expires = now + tokenLifetime
        var parent: [UInt8]?
        for method in request.methods {
            let found: String
            switch method {
            case .password(let reference, let password):
                found = try await checkPassword(password, of: reference)
                methods.insert(.password)
            case .token(let text):
                let old = try verify(text)
                found = old.payload.userID
                methods.formUnion(old.payload.methods.union(.token))
                expires = min(expires, old.payload.expires)
                parent = old.payload.parentAuditID ?? old.payload.auditID
            }
            guard userID == nil || userID == found else { throw .unauthorized }
            userID = found
        }
        guard let userID else { throw .unauthorized }
        let payload = TokenPayload(
            userID: userID, projectID: try projectID(of: request.scope, userID: userID), methods: methods, issued: now,
            expires: expires, auditID: random.bytes(16), parentAuditID: parent)
        return try verify(try seal.seal(payload))
    }

    /// The project a scope names, if the user may use it.
    private func projectID(of scope: AuthenticationRequest.Scope, userID: String) throws(IdentityError) -> String? {
        let directory = directory
        let project: IdentityProject?
        switch scope {
        case .none: return nil
        case .unavailable, .project(.elsewhere): project = nil
        case .project(.id(let id)): project = directory.projects[id]
        case .project(.name(let name)): project = directory.project(named: name)
        }
        guard let project, let user = directory.users[userID], !directory.roles(of: user, on: project.id).isEmpty else {
            throw .unauthorized
        }
        return project.id
    }

    /// The id of the user whose password this is. A user that does not exist takes as long as one that does.
    private func checkPassword(
        _ password: Secret, of reference: AuthenticationRequest.Reference
    ) async throws(IdentityError) -> String {
        try await passwords.run { [self] () throws(IdentityError) -> String in
            refresh()
            let directory = directory
            let user: IdentityUser? =
                switch reference {
                case .id(let id): directory.users[id]
                case .name(let name): directory.user(named: name)
                case .elsewhere: nil
                }
            if let user {
                let wait = state.withLock { $0.throttle.wait(userID: user.id, now: clock.now) }
                guard wait == .zero else {
                    throw IdentityError(.tooManyAttempts, "Too many wrong passwords; try again in a few seconds.")
                }
            }
            let isRight = try (user?.password ?? decoy).matches(password)
            guard let user else { throw .unauthorized }
            state.withLock { state in
                if isRight {
                    state.throttle.succeeded(userID: user.id)
                } else {
                    state.throttle.failed(userID: user.id, now: clock.now)
                }
            }
            guard isRight, user.isEnabled else { throw .unauthorized }
            return user.id
        }
    }
}
