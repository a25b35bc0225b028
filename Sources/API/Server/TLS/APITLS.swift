// SPDX-License-Identifier: Apache-2.0

/// What the REST API's listener is encrypted with: PEM files that an operator may replace at any time.
package struct APITLS: Sendable, Hashable {
    /// The server's certificate, followed by those that lead to an authority which clients know.
    package var certificateFile: String
    /// The certificate's private key, without a passphrase.
    package var keyFile: String

    package init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// Why a listener cannot serve.
package struct ListenerError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case certificate, key, mismatch }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// The certificate file cannot be read, or has no certificate.
        package static let certificate = Code(.certificate)
        /// The key file cannot be read, or has no key.
        package static let key = Code(.key)
        /// The key is not the certificate's.
        package static let mismatch = Code(.mismatch)
    }

    package var code: Code
    /// One sentence that names the file and what to do.
    package var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
