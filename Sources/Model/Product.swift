// SPDX-License-Identifier: Apache-2.0

/// What this program is.
package enum Product {
    /// Semantic version; what `--version` prints and plugins are told.
    package static let version = "0.1.0"
}
