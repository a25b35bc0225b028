// SPDX-License-Identifier: Apache-2.0

/// Statements that the server runs by itself, before it takes connections. One a line: it takes no two.
enum FirstStart {
    /// What makes the accounts of an instance.
    static func statements(_ state: InstanceState) -> String {
        var lines = ["SET SESSION sql_mode = '\(SQLText.sessionMode)'"]
        for host in ["127.%", "localhost"] {
            lines += account("os_admin", host, state.password)
        }
        // The accounts of the instance that the backup was taken of: its tenants' stay, its superuser does not.
        if state.isRestored { lines.append("DROP USER IF EXISTS 'root'@'%'") }
        if let password = state.rootPassword { lines += account("root", "%", password) }
        return lines.map { $0 + ";\n" }.joined()
    }

    /// What takes from a new data directory all that an instance shall not inherit.
    ///
    /// Shape: the server runs these without its grant tables, so they change the rows themselves. Left are
    /// `root`@`localhost`, who needs the machine's root, and the account that owns the engine's views. Accounts without a
    /// password at other hosts would shadow `root`@`%`.
    static let template = """
        DELETE FROM mysql.global_priv WHERE NOT (Host = 'localhost' AND User IN ('root', 'mariadb.sys'));
        DELETE FROM mysql.proxies_priv WHERE NOT (Host = 'localhost' AND User = 'root');
        DELETE FROM mysql.db;
        DROP DATABASE IF EXISTS sys;

        """

    private static func account(_ name: String, _ host: String, _ password: String) -> [String] {
        let account = "\(SQLText.literal(name))@\(SQLText.literal(host))"
        return [
            "CREATE OR REPLACE USER \(account) IDENTIFIED BY \(SQLText.literal(password))",
            "GRANT ALL PRIVILEGES ON *.* TO \(account) WITH GRANT OPTION",
        ]
    }
}
