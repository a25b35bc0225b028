// SPDX-License-Identifier: Apache-2.0

import Model

/// The service user's token: when there is one to use, and when a new one may be asked for. No I/O, no clock.
struct ServiceSession: Sendable {
    /// A token is replaced so long before its end, or a fifth of its life before, if that is shorter.
    static let margin = Duration.seconds(60)
    /// After refused credentials: Keystone locks users out that try wrong passwords too often.
    static let refusalPause = Duration.seconds(3)

    private var token: KeystoneClient.ServiceToken?
    private var renewal: ContinuousClock.Instant?
    private var refusal: (error: IdentityError, until: ContinuousClock.Instant)?

    /// The token, unless it is due to be replaced.
    func current(now: ContinuousClock.Instant) -> KeystoneClient.ServiceToken? {
        guard let token, let renewal, now < renewal else { return nil }
        return token
    }

    /// Why none may be asked for now.
    func refusal(now: ContinuousClock.Instant) -> IdentityError? {
        guard let refusal, now < refusal.until else { return nil }
        return refusal.error
    }

    /// - Parameter asked: When it was asked for, from which its life is counted, whatever the clocks of the two hosts say.
    mutating func made(_ token: KeystoneClient.ServiceToken, asked: ContinuousClock.Instant) {
        self.token = token
        renewal = asked + token.lifetime - min(Self.margin, token.lifetime / 5)
        refusal = nil
    }

    mutating func refused(_ error: IdentityError, now: ContinuousClock.Instant) {
        token = nil
        refusal = (error, now + Self.refusalPause)
    }

    /// Keystone takes the token no more; another that was made meanwhile stays.
    mutating func drop(_ token: KeystoneClient.ServiceToken) {
        if self.token == token { self.token = nil }
    }
}
