// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model

/// The two questions that this service asks Keystone, each bounded by a deadline. Blocks threads of its own alone.
///
/// Source: Identity API v3, "Authentication and token management".
struct KeystoneClient: Sendable {
    /// Questions at the same time, and those that wait for their turn.
    static let threads = 8
    static let waiting = 512
    /// A token's document without its catalogue is about 1 KiB.
    private static let answerBytes = 256 << 10
    private static let headers = [(name: "Accept", value: "application/json")]

    /// The service user's own token.
    struct ServiceToken: Sendable, Hashable {
        var text: Secret
        /// Of the token, as Keystone's clock has it.
        var lifetime: Duration
    }

    enum Verdict: Sendable {
        case good(KeystoneTokenDocument)
        /// Not a token, or one that is expired or revoked.
        case unknown
        /// It is the service user's token that is not good any more.
        case serviceTokenRefused
    }

    private let configuration: KeystoneConfiguration
    private let exchanger: HTTPExchanger
    private let lane = BlockingLane(
        threads: Self.threads, capacity: Self.waiting, refusal: "Too many tokens wait for Keystone.")
    private let login: HTTPAddress
    private let validation: HTTPAddress
    private let expiredValidation: HTTPAddress

    /// - Throws: `.badRequest` for an URL that is none; `.unavailable` without libcurl.
    init(_ configuration: KeystoneConfiguration) throws(IdentityError) {
        self.configuration = configuration
        exchanger = HTTPExchanger(
            HTTPClientConfiguration(caFile: configuration.caFile), connections: HTTPConnections(limit: Self.threads))
        let tokens = configuration.versionedURL + "/auth/tokens?nocatalog=1"
        do {
            login = try HTTPAddress(tokens)
            validation = login
            expiredValidation = try HTTPAddress(tokens + "&allow_expired=1")
        } catch {
            let code: IdentityError.Code = error.code == .library ? .unavailable : .badRequest
            throw IdentityError(code, "Keystone's address '\(configuration.url)' cannot be used: \(error.message).")
        }
    }

    /// Logs the service user in.
    ///
    /// - Throws: `.forbidden` when Keystone refuses user, password or project; `.unavailable`.
    func logIn(by deadline: ContinuousClock.Instant) async throws(IdentityError) -> ServiceToken {
        let request = HTTPRequest(
            "POST", login, headers: Self.headers + [("Content-Type", "application/json")],
            body: .bytes(configuration.login.serialized))
        let response = try await send(request, by: deadline)
        switch response.status {
        case 201:
            guard let text = response.headers["x-subject-token"], let document = KeystoneTokenDocument(response.body)
            else { throw Self.unreadable }
            return ServiceToken(text: Secret(text), lifetime: document.identity.expires - document.issued)
        case 400, 401, 403, 404:
            throw IdentityError(
                .forbidden,
                "Keystone refuses the service user '\(configuration.user)' of project '\(configuration.project)' (status "
                    + "\(response.status)); its name, password, project or domains are wrong.")
        default: throw Self.failure(response)
        }
    }

    /// Asks about a token.
    ///
    /// Tokens of application credentials with access rules are unknown: without the header
    /// `OpenStack-Identity-Access-Rules` Keystone gives them to no service, and this one does not check such rules.
    ///
    /// - Throws: `.forbidden` when the service user may not ask; `.unavailable`.
    func validate(
        _ token: String, expiry: TokenKey.Expiry, as service: ServiceToken, by deadline: ContinuousClock.Instant
    ) async throws(IdentityError) -> Verdict {
        let request = HTTPRequest(
            "GET", expiry == .allowed ? expiredValidation : validation,
            headers: Self.headers + [("X-Auth-Token", service.text.revealed), ("X-Subject-Token", token)])
        let response = try await send(request, by: deadline)
        switch response.status {
        case 200:
            guard let document = KeystoneTokenDocument(response.body) else { throw Self.unreadable }
            return .good(document)
        case 400, 404: return .unknown
        case 401: return .serviceTokenRefused
        case 403:
            throw IdentityError(
                .forbidden,
                "The service user '\(configuration.user)' may not validate tokens; give it the role 'service' on project "
                    + "'\(configuration.project)'.")
        default: throw Self.failure(response)
        }
    }

    private func send(
        _ request: HTTPRequest, by deadline: ContinuousClock.Instant
    ) async throws(IdentityError) -> HTTPResponse {
        let exchanger = exchanger
        let limits = HTTPLimits(deadline: deadline, bodyBytes: Self.answerBytes)
        return try await lane.run { () throws(IdentityError) -> HTTPResponse in
            // What waited for its turn too long is not sent any more.
            guard .now < deadline else { throw IdentityError(.overloaded, "Too many tokens wait for Keystone.") }
            do throws(HTTPClientError) {
                do throws(HTTPClientError) { return try exchanger.perform(request, limits: limits) } catch {
                    // Both questions may be asked twice, and one of several Keystones may just be restarting.
                    guard error.code == .unavailable else { throw error }
                    return try exchanger.perform(request, limits: limits)
                }
            } catch { throw IdentityError(.unavailable, "Keystone cannot be asked: \(error.message).") }
        }
    }

    private static let unreadable = IdentityError(.unavailable, "Keystone's answer is not a token's document.")

    /// Any answer that tells nothing about a token: overload, maintenance, a fault of its own.
    private static func failure(_ response: HTTPResponse) -> IdentityError {
        IdentityError(
            .unavailable, "Keystone answers \(response.status).",
            retryAfter: response.headers["retry-after"].flatMap { Int($0) }.map { max(1, $0) })
    }
}
