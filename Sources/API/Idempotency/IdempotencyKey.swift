// SPDX-License-Identifier: Apache-2.0

import Identity
import Messaging
import Model

/// What a client calls a request by, so that it is done once however often it is sent.
struct IdempotencyKey: Sendable {
    static let header = "idempotency-key"

    let text: String
    /// Digest of project, path and key: what it is stored under. The key itself is stored nowhere.
    let id: String
    /// Of all that makes two requests the same: who asks, the query, the body and its type.
    let requestDigest: String

    /// nil without the header.
    ///
    /// - Throws: 400 for what cannot be a key.
    static func text(_ request: APIRequest) throws(APIFault) -> String? {
        let values = request.headers.filter { $0.name == header }.map(\.value)
        guard let text = values.first else { return nil }
        guard values.count == 1, (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw APIFault(400, "The Idempotency-Key header must be 1 to 255 printable ASCII characters.")
        }
        return text
    }

    /// - Parameters:
    ///   - path: Below the project, as it was sent.
    ///   - body: All of it.
    init(_ text: String, path: String, _ call: APICall, body: [UInt8]) {
        self.text = text
        id = Self.digest([call.context.projectID, path, text].map { Array($0.utf8) })
        let parts = [call.context.userID, call.request.query ?? "", call.request.header("content-type") ?? ""]
        requestDigest = Self.digest(parts.map { Array($0.utf8) } + [body])
    }

    /// Of the parts and where each ends.
    private static func digest(_ parts: [[UInt8]]) -> String {
        Digest.sha256(parts.flatMap { Array("\($0.count):".utf8) + $0 })
    }

    /// What the answer is sealed with. The client's key opens it, and with it the control plane's own passphrase where there is
    /// one: an answer may hold a password (root), and whoever reads the database alone must not see it.
    func box(_ secret: Secret?) throws(MessagingError) -> TextBox {
        try TextBox(passphrase: Secret("\(secret?.revealed ?? "")\n\(id)\n\(text)"))
    }
}
