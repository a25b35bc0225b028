// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// The TLS mode of an instance's engine; NULL for the engine's own. The column has the reference service's name.
    static let engineTLS = Migration(
        number: 10,
        name: "engine TLS",
        statements: ["ALTER TABLE instances ADD COLUMN ssl_mode TEXT"]
    )
}
