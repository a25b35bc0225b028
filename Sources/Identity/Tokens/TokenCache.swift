// SPDX-License-Identifier: Apache-2.0

import Model

/// A token that was opened and found good.
struct VerifiedToken: Sendable {
    var text: String
    var payload: TokenPayload
    var identity: AuthenticatedIdentity
}

/// The tokens seen last, bounded in number: two generations, of which the older is dropped when the younger is full.
struct TokenCache: Sendable {
    private let half: Int
    private var young: [String: VerifiedToken] = [:]
    private var old: [String: VerifiedToken] = [:]

    /// - Parameter capacity: Tokens at most.
    init(capacity: Int) { half = max(1, capacity / 2) }

    var count: Int { young.count + old.count }

    mutating func find(_ text: String) -> VerifiedToken? {
        if let found = young[text] { return found }
        guard let found = old.removeValue(forKey: text) else { return nil }
        insert(found)
        return found
    }

    mutating func insert(_ token: VerifiedToken) {
        if young.count >= half {
            old = young
            young = [:]
        }
        young[token.text] = token
    }

    mutating func remove(_ text: String) {
        young[text] = nil
        old[text] = nil
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }
}
