// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The option file that holds the login.
enum OptionFile {
    /// The engine's own options, where there are any, and the login.
    static func text(_ access: BackupAccess, _ instance: InstanceDocument) -> String {
        var lines: [String] = []
        if let file = access.configFile { lines.append("!include \(file)") }
        // Both programs read this group. Source: mariadb(1), mariabackup, "Option Groups".
        lines += ["[client]", "user = \(quoted(access.user))", "password = \(quoted(access.password))"]
        if let socket = access.socket {
            lines.append("socket = \(quoted(socket))")
        } else {
            lines += ["host = \(quoted(access.address))", "port = \(access.port)"]
        }
        lines += ["[mariabackup]", "datadir = \(quoted(access.dataDirectory))"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
