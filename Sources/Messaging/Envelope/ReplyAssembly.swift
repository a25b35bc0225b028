// SPDX-License-Identifier: Apache-2.0

package import Model

/// Puts the replies to one call together.
///
/// Shape: a reply with `ending` finishes the call; before it may come signs of life (null results) and, from old servers, the
/// value on its own. Source: oslo.messaging, `ReplyWaiter`.
package struct ReplyAssembly: Sendable {
    private let method: String
    private var kept: Result<JSONValue, MessagingError> = .success(.null)

    package init(method: String) { self.method = method }

    /// Takes one reply; returns the outcome once nothing follows.
    package mutating func take(_ reply: ReplyMessage) -> Result<JSONValue, MessagingError>? {
        switch reply.content {
        case .result(let value):
            if !value.isNull { kept = .success(value) }
        case .failure(let failure):
            kept = .failure(failure.error(method: method))
        case .malformed(let reason):
            return .failure(MessagingError(.badMessage, "\(method): \(reason)"))
        }
        return reply.isEnding ? kept : nil
    }
}
