// SPDX-License-Identifier: Apache-2.0

/// Why a check could not be made at all; findings are no errors.
package struct ConformanceError: Error, Sendable, CustomStringConvertible {
    /// One sentence naming the thing and the fix.
    package var message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
