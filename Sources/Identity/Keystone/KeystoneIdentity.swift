// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model
import Synchronization

/// Lets in whom a Keystone knows, as keystonemiddleware does.
///
/// A token is validated by the service user and remembered; see `ValidationCache` for how long. While Keystone does not answer,
/// tokens that are still known go on working, and every other call fails with `.unavailable`. Nothing here is a secret's
/// copy but the service user's own token. Source: keystonemiddleware, `auth_token`; Identity API v3.
package final class KeystoneIdentity: IdentityService {
    /// A longer one is none: Fernet tokens have about 200 characters, signed ones about 1000.
    static let maximumTokenCharacters = 8192

    struct State: Sendable {
        var cache: ValidationCache
        var availability = KeystoneAvailability()
        var session = ServiceSession()
        var lastWarning: ContinuousClock.Instant?
        var isWarned = false
        var counts = Counts()
    }

    /// What became of the tokens so far.
    package struct Counts: Sendable, Hashable {
        /// Answered from memory.
        package var remembered = 0
        /// Answered from memory because Keystone did not.
        package var bridged = 0
        /// Asked of Keystone, with whatever outcome.
        package var asked = 0
        /// Tokens of the service user that were made.
        package var logins = 0
    }

    package let authenticationURL: String?

    let configuration: KeystoneConfiguration
    let client: KeystoneClient
    let clock: any WallClock
    let uptime: @Sendable () -> ContinuousClock.Instant
    let logger: Logger
    let state: Mutex<State>
    let validations = SingleFlight<TokenKey, AuthenticatedIdentity>()
    let logins = SingleFlight<Bool, KeystoneClient.ServiceToken>()

    /// Asks nothing yet: the service starts whether Keystone is there or not.
    ///
    /// - Parameters:
    ///   - clock: The time of day, against which expiries stand.
    ///   - uptime: The monotonic clock, which every span here is of.
    ///   - logger: Told when Keystone goes away and comes back, and why.
    /// - Throws: `.badRequest` for an URL that is none; `.unavailable` without libcurl.
    package init(
        _ configuration: KeystoneConfiguration, clock: any WallClock = SystemWallClock(),
        uptime: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, logger: Logger
    ) throws(IdentityError) {
        client = try KeystoneClient(configuration)
        authenticationURL = configuration.publicURL ?? configuration.url
        self.configuration = configuration
        self.clock = clock
        self.uptime = uptime
        self.logger = logger
        state = Mutex(
            State(cache: ValidationCache(span: configuration.cache, window: configuration.revocationWindow)))
    }

    package var counts: Counts { state.withLock { $0.counts } }

    package func validate(_ token: String) async throws(IdentityError) -> AuthenticatedIdentity {
        try await check(token, .refused)
    }

    package func validate(
        _ token: String, serviceToken: String?
    ) async throws(IdentityError) -> AuthenticatedIdentity {
        guard let serviceToken else { return try await check(token, .refused) }
        let service = try await check(serviceToken, .refused)
        let isTrusted = service.roles.contains { configuration.serviceTokenRoles.contains($0) }
        return try await check(token, isTrusted ? .allowed : .refused)
    }

    /// Logs the service user in, unless it is; tells at a start or in a check whether the settings are right.
    ///
    /// - Throws: `.unavailable`, with the reason for operators.
    package func checkService() async throws(IdentityError) {
        _ = try await serviceToken(by: .now + configuration.timeout)
    }

    /// There are no routes here: clients ask Keystone itself.
    package func handle(_ request: IdentityRequest) async -> IdentityResponse {
        .fault(IdentityError(.notFound, "The resource could not be found."), baseURL: request.baseURL)
    }
}

extension KeystoneIdentity {
    private func check(_ token: String, _ expiry: TokenKey.Expiry) async throws(IdentityError) -> AuthenticatedIdentity
    {
        guard Self.isPlausible(token) else { throw .unauthorized }
        let key = TokenKey(token, expiry: expiry)
        let now = uptime()
        let decision = state.withLock { state in
            let decision = state.cache.decide(key, now: now)
            if case .fresh = decision { state.counts.remembered += 1 }
            return decision
        }
        switch decision {
        case .fresh(let identity): return identity
        case .unknown: throw .unauthorized
        case .stale: return try await confirm(token, key)
        case .ask:
            if let pause = state.withLock({ $0.availability.pause(now: now) }) {
                let seconds = Int(pause.inSeconds.rounded(.up))
                throw IdentityError(.unavailable, "Keystone asks to be left alone.", retryAfter: max(1, seconds))
            }
            return try await ask(token, key)
        }
    }

    /// Holds a token that is still known against Keystone; its old word counts when there is no new one.
    private func confirm(_ token: String, _ key: TokenKey) async throws(IdentityError) -> AuthenticatedIdentity {
        let now = uptime()
        let (isAway, isDue) = state.withLock { state in
            let isAway = state.availability.isAway
            return (isAway, isAway && state.availability.admitsProbe(now: now))
        }
        if !isAway {
            do throws(IdentityError) { return try await ask(token, key) } catch {
                guard error.isRetryable else { throw error }
            }
        } else if isDue {
            // Notices Keystone's return, for which this caller need not wait.
            Task { _ = try? await ask(token, key) }
        }
        return try state.withLock { (state) throws(IdentityError) -> AuthenticatedIdentity in
            switch state.cache.decide(key, now: uptime()) {
            case .fresh(let identity): return identity
            case .stale(let identity):
                state.counts.bridged += 1
                return identity
            case .unknown: throw .unauthorized
            case .ask: throw .unanswered
            }
        }
    }

    /// Whether a text can be a header's value and a token; whatever else it is, it is none.
    private static func isPlausible(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.count <= maximumTokenCharacters && token.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }
}

extension IdentityError {
    static let unanswered = IdentityError(.unavailable, "Keystone does not answer.")
}
