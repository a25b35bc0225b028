// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// What a control plane of a test stands on.
enum Shape: String, Sendable {
    /// A file, a local hub and the built-in identity, all in its home.
    case embedded
    /// Private MariaDB, RabbitMQ and Keystone nodes.
    case production

    /// `TROVE_TEST_SHAPE`; embedded without it.
    static let current: Shape = {
        guard let text = ProcessInfo.processInfo.environment["TROVE_TEST_SHAPE"], !text.isEmpty else {
            return .embedded
        }
        guard let shape = Shape(rawValue: text) else {
            fatalError("TROVE_TEST_SHAPE must be embedded or production, not '\(text)'")
        }
        return shape
    }()
}
