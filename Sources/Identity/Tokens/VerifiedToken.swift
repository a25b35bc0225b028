// SPDX-License-Identifier: Apache-2.0

import Model

/// A token that was opened and found good.
struct VerifiedToken: Sendable {
    var text: String
    var payload: TokenPayload
    var identity: AuthenticatedIdentity
}
