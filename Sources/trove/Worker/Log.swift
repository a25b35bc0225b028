// SPDX-License-Identifier: Apache-2.0

import Logging

/// The one place that makes loggers.
enum Log {
    /// A logger on standard error; its level comes from TROVE_LOG_LEVEL (default notice).
    static func make(_ label: String) -> Logger {
        var logger = Logger(label: "trove.\(label)") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Environment.value("TROVE_LOG_LEVEL").flatMap(Logger.Level.init(rawValue:)) ?? .notice
        return logger
    }
}
