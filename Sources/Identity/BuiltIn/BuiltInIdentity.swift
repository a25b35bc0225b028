// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model
package import StateStore
import Synchronization

/// The Identity API for a service that stands alone: one domain, users and projects from a file, sealed tokens.
///
/// Validation touches neither disk nor database: a token carries what it says, users and revocations are in memory.
/// Source: Identity API v3, the part that keystoneauth and the OpenStack command line use.
package final class BuiltInIdentity: IdentityService {
    struct State: Sendable {
        var directory: IdentityDirectory
        var stamp: PrivateFiles.Stamp?
        var lastLook: Timestamp
        var cache: BoundedCache<String, VerifiedToken>
        var throttle = LoginThrottle()
        /// Digest to expiry.
        var revoked: [String: Timestamp]
    }

    /// How often the identity file is looked at while tokens are validated.
    static let lookInterval = Duration.seconds(1)
    static let cachedTokens = 8192

    /// The passwords that this start made up; `nil` on every later start.
    package let bootstrap: BootstrapCredentials?

    let region: String
    let keyManager: String?
    let tokenLifetime: Duration
    let clock: any WallClock
    let random: any RandomSource
    let seal: TokenSeal
    let passwords = BlockingLane(threads: 2, capacity: 64, refusal: "Too many password checks are waiting.")
    let decoy: PasswordHash
    let state: Mutex<State>
    private let file: IdentityFile
    private let store: any StateStore
    private let logger: Logger
    private let disk = BlockingLane(threads: 1, capacity: 16, refusal: "Too much is waiting for the identity files.")

    /// Loads the identity of `directory`, or makes it on the first start.
    ///
    /// - Parameters:
    ///   - directory: The secrets directory, 0700: `identity.json`, `token.key`, `credentials.json`, each 0600.
    ///   - store: Keeps revocations.
    ///   - region: Of every endpoint in the catalogue.
    ///   - keyManager: Where the key manager is: an address, or a path below this service's; nil: nowhere.
    ///   - tokenLifetime: From a login to the end of its tokens.
    ///   - clock: The time of day.
    ///   - random: For ids, passwords and salts.
    ///   - logger: Told about files that cannot be read again.
    /// - Throws: `.files`; `.unavailable` when the store does not answer.
    package init(
        directory: String,
        store: any StateStore,
        region: String = "RegionOne",
        keyManager: String? = nil,
        tokenLifetime: Duration = .seconds(4 * 3600),
        clock: any WallClock = SystemWallClock(),
        random: any RandomSource = SystemRandomSource(),
        logger: Logger
    ) async throws(IdentityError) {
        let file = IdentityFile(files: PrivateFiles(directory: directory))
        let bootstrap = IdentityBootstrap(file: file, random: random)
        let loaded = try await disk.run { () throws(IdentityError) in
            try file.files.makeDirectory()
            let stamp = file.stamp
            return (try bootstrap.run(), stamp, try TokenSeal(files: file.files, random: random))
        }
        let now = clock.now
        let revoked: [String]
        do {
            revoked = try await store.write(.relaxed) { transaction in
                try transaction.revocations.purge(now: now)
                return try transaction.revocations.all()
            }
        } catch { throw IdentityError(.unavailable, "The revoked tokens cannot be read from the state store.") }
        self.bootstrap = loaded.0.1
        seal = loaded.2
        decoy = PasswordHash(decoy: random)
        state = Mutex(
            State(
                directory: loaded.0.0, stamp: loaded.1, lastLook: now, cache: BoundedCache(capacity: Self.cachedTokens),
                revoked: Dictionary(revoked.map { ($0, now + tokenLifetime) }, uniquingKeysWith: { first, _ in first }))
        )
        self.region = region
        self.keyManager = keyManager
        self.tokenLifetime = tokenLifetime
        self.clock = clock
        self.random = random
        self.file = file
        self.store = store
        self.logger = logger
    }

    package func validate(_ token: String) async throws(IdentityError) -> AuthenticatedIdentity {
        try verify(token).identity
    }

    /// The directory as it was read last.
    var directory: IdentityDirectory { state.withLock { $0.directory } }
}

extension BuiltInIdentity {
    /// Opens a token and checks everything about it; from memory when it was seen lately.
    ///
    /// - Throws: `.unauthorized`.
    func verify(_ token: String) throws(IdentityError) -> VerifiedToken {
        let now = clock.now
        let (isDue, hit) = state.withLock { state -> (Bool, VerifiedToken?) in
            let isDue = now - state.lastLook >= Self.lookInterval || now < state.lastLook
            if isDue { state.lastLook = now }
            return (isDue, state.cache.find(token))
        }
        if isDue { disk.attempt { self.refresh() } }
        if let hit {
            guard hit.identity.expires > now else { throw .unauthorized }
            return hit
        }
        guard let payload = seal.open(token), payload.expires > now else { throw .unauthorized }
        let digest = Digest.sha256(token)
        let verified = state.withLock { state -> VerifiedToken? in
            guard state.revoked[digest] == nil, let identity = Self.identity(payload, in: state.directory) else {
                return nil
            }
            let verified = VerifiedToken(text: token, payload: payload, identity: identity)
            state.cache.insert(verified, for: token)
            return verified
        }
        guard let verified else { throw .unauthorized }
        return verified
    }

    /// Whom a payload stands for today: user and project must be there and enabled, and a role must be left.
    static func identity(_ payload: TokenPayload, in directory: IdentityDirectory) -> AuthenticatedIdentity? {
        guard let user = directory.users[payload.userID], user.isEnabled, payload.issued >= user.tokensFrom else {
            return nil
        }
        var roles: [String] = []
        if let projectID = payload.projectID {
            roles = directory.roles(of: user, on: projectID)
            if roles.isEmpty { return nil }
        }
        return AuthenticatedIdentity(
            userID: user.id, userName: user.name, projectID: payload.projectID ?? "",
            projectName: payload.projectID.flatMap { directory.projects[$0]?.name } ?? "", roles: roles,
            isAdmin: roles.contains("admin"), expires: payload.expires, userDomainID: IdentityDirectory.domainID,
            projectDomainID: payload.projectID == nil ? "" : IdentityDirectory.domainID)
    }

    /// Ends a token before its time: first in the store, then in memory.
    ///
    /// - Throws: `.unavailable` when the store does not take it; the token then stays good.
    func revoke(_ token: VerifiedToken) async throws(IdentityError) {
        let digest = Digest.sha256(token.text)
        let expires = token.payload.expires
        let now = clock.now
        do {
            try await store.write(.durable) { transaction in
                try transaction.revocations.purge(now: now)
                try transaction.revocations.revoke(tokenDigest: digest, expires: expires)
            }
        } catch {
            throw IdentityError(.unavailable, "The revocation could not be stored; try again.")
        }
        state.withLock { state in
            state.revoked = state.revoked.filter { $0.value > now }
            state.revoked[digest] = expires
            state.cache.remove(token.text)
        }
    }

    /// Reads the identity file again when it changed; blocks. A file that cannot be read changes nothing.
    func refresh() {
        let stamp = file.stamp
        guard stamp != state.withLock({ $0.stamp }) else { return }
        do throws(IdentityError) {
            guard let directory = try file.load() else { return }
            state.withLock { state in
                state.directory = directory
                state.stamp = stamp
                state.cache.removeAll()
            }
        } catch {
            state.withLock { $0.stamp = stamp }
            logger.error("identity file ignored", metadata: ["error.message": "\(error.message)"])
        }
    }

    /// Runs blocking work on the files of the secrets directory.
    func onDisk<Value: Sendable>(
        _ body: @escaping @Sendable (PrivateFiles) throws(IdentityError) -> Value
    ) async throws(IdentityError) -> Value {
        let files = file.files
        return try await disk.run { () throws(IdentityError) -> Value in try body(files) }
    }
}
