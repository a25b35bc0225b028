// SPDX-License-Identifier: Apache-2.0

extension LastSeenStatements {
    static let sqlite = LastSeenStatements.each(
        advance: """
            INSERT INTO conductor_lastseen (instance_id, method_name, sent) VALUES (?, ?, ?)
            ON CONFLICT (instance_id, method_name) DO UPDATE SET sent = excluded.sent WHERE excluded.sent > sent
            """
    )
}
