// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// Where the files of an instance are, and the part of its configuration that only the guest knows.
struct ServerConfiguration {
    let instance: InstanceDocument

    /// The plugin's memory of the instance.
    var statePath: String { instance.stateDirectory + "/postgresql.json" }
    /// Says that `initialize` came to its end.
    var initializedPath: String { instance.stateDirectory + "/postgresql-initialized" }
    /// The engine's data: below the volume's root, whose owner, mode and `lost+found` the engine would not take.
    var dataPath: String { instance.dataDirectory + "/pgdata" }
    /// The configuration; written before each start, since the run directory does not outlive the machine.
    var configurationPath: String { instance.runDirectory + "/postgresql.conf" }
    /// Who may log in from where.
    var accessPath: String { instance.runDirectory + "/pg_hba.conf" }
    /// Which of the machine's users may be which role.
    var identityPath: String { instance.runDirectory + "/pg_ident.conf" }
    /// Where the Unix socket is. Not in the data directory, of which backups are made.
    var socketDirectory: String { instance.runDirectory }
    /// The engine's uid and gid.
    var owner: (uid: UInt32, gid: UInt32) { (instance.uid, instance.gid) }

    /// The server's arguments.
    ///
    /// Shape: what is given here wins over every file, so a superuser of the tenant's cannot move the instance with
    /// `ALTER SYSTEM`.
    func arguments(_ programs: Programs) -> [String] {
        let settings = [
            ("config_file", configurationPath), ("hba_file", accessPath), ("ident_file", identityPath),
            ("listen_addresses", instance.address), ("port", String(instance.port)),
            ("unix_socket_directories", socketDirectory), ("unix_socket_permissions", "0777"),
            ("logging_collector", "off"), ("log_destination", "stderr"), ("cluster_name", instance.instanceID),
        ]
        return [programs.server, "-D", dataPath] + settings.flatMap { ["-c", "\($0.0)=\($0.1)"] }
    }

    /// Who may log in: the agent over the Unix socket without a password; the administrator from this machine alone;
    /// everybody else with a password. Lines are tried in order; the first that fits decides.
    static func access(_ mode: TLSMode) -> String {
        let tenants =
            switch mode {
            case .off, .basic: ("host   ", "scram-sha-256")
            case .enforced: ("hostssl", "scram-sha-256")
            case .mtls: ("hostssl", "scram-sha-256 clientcert=verify-ca")
            }
        return """
            # TYPE  DATABASE     USER      ADDRESS       METHOD
            local   all          os_admin                peer map=agent
            local   replication  os_admin                scram-sha-256
            host    all          os_admin  127.0.0.0/8   scram-sha-256
            host    all          os_admin  samehost      scram-sha-256
            host    all          os_admin  all           reject
            \(tenants.0) all          all       all           \(tenants.1)

            """
    }

    /// The agent's user is the administrator.
    ///
    /// - Throws: `PluginFailure` `.preconditionFailed` if the agent's uid has no name: the engine compares names.
    static func identities() throws -> String {
        guard let name = UserNames.name(of: geteuid()) else {
            throw PluginFailure(
                .preconditionFailed,
                "the agent's uid \(geteuid()) has no name on this machine, which PostgreSQL's peer login needs; add it "
                    + "to /etc/passwd")
        }
        return "agent \(quoted(name)) os_admin\n"
    }

    /// Writes what the server reads at its start and when it is told to.
    ///
    /// - Parameter isGeneralLogOn: Every statement is logged, whatever the contents say.
    func write(contents: String, isGeneralLogOn: Bool, tls: TLSState) throws {
        // World-readable but for the directory above: no secrets are in them.
        let access = PluginFiles.Access(mode: 0o644)
        let logging = isGeneralLogOn ? "\n" + Settings.text([("log_statement", "all")]) : ""
        let encryption = "\n" + Settings.text(tls.settings)
        try PluginFiles.write(contents + logging + encryption, to: configurationPath, access)
        try PluginFiles.write(Self.access(tls.mode), to: accessPath, access)
        try PluginFiles.write(try Self.identities(), to: identityPath, access)
    }

    private static func quoted(_ name: String) -> String { "\"" + SQLText.doubled("\"", in: name) + "\"" }
}
