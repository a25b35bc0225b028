// SPDX-License-Identifier: Apache-2.0

/// How urgent a notification is; the routing key's last part is its lower-case name.
package enum NotificationPriority: String, Sendable, Hashable {
    case info = "INFO"
    case error = "ERROR"
}
