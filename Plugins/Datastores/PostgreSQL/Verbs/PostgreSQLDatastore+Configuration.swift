// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension PostgreSQLDatastore: ConfigurationAdministration {
    func applyConfiguration(_ values: [String: JSON], configContents: String, call: Call) throws -> [String] {
        for name in values.keys where Catalogue.byName[name] == nil {
            throw PluginFailure(.invalidArgument, "The parameter '\(name)' is not one that can be set.")
        }
        let overrides = try Settings.overrides(values.filter { !$0.value.isNull })
        try Settings.checkMemory(overrides, memoryMiB: files.instance.memoryMiB)
        let old = try prepared()
        try files.write(contents: configContents, isGeneralLogOn: old.isGeneralLogOn, tls: old.tls)
        do {
            try administer(call) { administration in
                try check(administration)
                try takeBack(Set(values.keys), administration)
                try reload(administration)
            }
        } catch let failure as PluginFailure where failure.status == .unavailable {
            // An engine that is down, perhaps because of its configuration, has the new one with its next start.
            try keep(configContents: configContents)
            return values.keys.sorted()
        } catch {
            // The next start shall have what worked.
            try files.write(contents: old.configContents, isGeneralLogOn: old.isGeneralLogOn, tls: old.tls)
            throw error
        }
        try keep(configContents: configContents)
        return values.keys.filter { Catalogue.byName[$0]?.isRestartRequired ?? false }.sorted()
    }

    /// Lets the engine read the new file without using it.
    private func check(_ administration: Administration) throws {
        let rows = try administration.run(
            """
            SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL \
            AND sourcefile = \(SQLText.literal(files.configurationPath)) \
            AND NOT EXISTS (SELECT 1 FROM pg_settings s WHERE s.name = lower(pg_file_settings.name) \
            AND s.context = 'postmaster')
            """, "check the configuration")
        guard let row = rows.first else { return }
        throw PluginFailure(
            .invalidArgument,
            "The parameter '\(row[0] ?? "")' is refused by the engine: \(row[1] ?? "no reason is given").")
    }

    /// What a superuser of the tenant's set with `ALTER SYSTEM` would win over the file.
    func takeBack(_ names: Set<String>, _ administration: Administration) throws {
        let rows = try administration.run(
            """
            SELECT DISTINCT name FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf' \
            AND lower(name) IN \(SQLText.list(["-"] + names.sorted()))
            """, "look for settings made with ALTER SYSTEM")
        for name in rows.compactMap({ $0[0] }) {
            try administration.run("ALTER SYSTEM RESET \(SQLText.identifier(name))", "reset parameter \(name)")
        }
    }

    /// Returns once the engine has read its files anew: it does so on its own time, and this session after it.
    func reload(_ administration: Administration) throws {
        let query = "SELECT pg_conf_load_time()"
        let before = try administration.run(query, "read the time of the last reload")
        try administration.run("SELECT pg_reload_conf()", "reload the configuration")
        while try administration.run(query, "read the time of the last reload") == before {
            try administration.call.check()
            Wait.pause(administration.call, milliseconds: 5)
        }
    }
}

extension PostgreSQLDatastore: DataUpgrade {
    /// A newer release of the same major version reads the same data.
    func upgrade(_ request: UpgradeRequest, call: Call) throws {
        _ = try PostgreSQLPolicy.planUpgrade(from: request.from, to: request.to)
        try requireData()
        if let contents = request.configContents { try keep(configContents: contents) }
    }
}
