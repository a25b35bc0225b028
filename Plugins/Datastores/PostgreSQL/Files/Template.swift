// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// Makes the data directory that instances start from.
struct Template {
    let files: ServerConfiguration
    let programs: Programs

    /// Fills the empty data directory.
    func make(call: Call) throws {
        let instance = files.instance
        let names = try PluginFiles.names(in: instance.dataDirectory)
        if !names.isEmpty, try PluginFiles.read(files.initializedPath) != nil { return }
        guard names.isEmpty else {
            throw PluginFailure(
                .preconditionFailed, "\(instance.dataDirectory) is not empty; initialize a new directory")
        }
        let environment = try environment()
        try PluginFiles.makeDirectory(files.dataPath, owner: files.owner)
        call.progress(nil, "making the system tables")
        try run(installerArguments, environment, call)
        try runStatements(environment, call)
        // The server is given its own; these would only mislead.
        for name in ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"] {
            try PluginFiles.remove(files.dataPath + "/" + name)
        }
        try run([Programs.sync, "-f", instance.dataDirectory], environment, call)
        for path in [passwdPath, groupPath] { try PluginFiles.remove(path) }
        try PluginFiles.write("", to: files.initializedPath, .secret)
    }

    private var installerArguments: [String] {
        [
            programs.installer, "-D", files.dataPath, "--username=\(Session.administrator)", "--encoding=UTF8",
            "--locale=C.UTF-8", "--text-search-config=english", "--data-checksums", "--no-instructions",
            "--auth-local=reject", "--auth-host=reject",
            // Nothing is lost if this is interrupted; the file system is synced at the end.
            "--no-sync",
        ]
    }

    /// Nobody but those who are let in reaches a database. One statement a line: the single-user server ends one there.
    private static let statements = """
        REVOKE ALL ON DATABASE postgres FROM PUBLIC;
        REVOKE ALL ON DATABASE template1 FROM PUBLIC;

        """

    private func runStatements(_ environment: [String: String], _ call: Call) throws {
        let path = files.instance.runDirectory + "/template.sql"
        try PluginFiles.write(Self.statements, to: path, PluginFiles.Access(mode: 0o644))
        defer { try? PluginFiles.remove(path) }
        let input = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard input >= 0 else { throw PluginFailure(.internal, "could not open \(path)") }
        defer { close(input) }
        let argv = [
            programs.server, "--single", "-D", files.dataPath, "-c", "exit_on_error=on", "-c", "log_checkpoints=off",
            "postgres",
        ]
        try run(argv, environment, call, input: input)
    }

    /// Runs a program as the engine and expects it to succeed.
    private func run(
        _ argv: [String], _ environment: [String: String], _ call: Call, input: Int32? = nil
    ) throws {
        let result = try Host.run(Command(argv, as: .engine, environment: environment), input: input, call: call)
        guard result.isSuccess else {
            throw PluginFailure(.internal, "\(argv[0]) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }

    private var passwdPath: String { files.instance.runDirectory + "/passwd" }
    private var groupPath: String { files.instance.runDirectory + "/group" }

    /// Both programs ask for the name of their uid and end without one, which an instance's uid does not have.
    private func environment() throws -> [String: String] {
        let instance = files.instance
        var environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        guard UserNames.name(of: instance.uid) == nil else { return environment }
        let access = PluginFiles.Access(mode: 0o644)
        let name = Session.administrator
        try PluginFiles.write("\(name):x:\(instance.uid):\(instance.gid)::/:/bin/false\n", to: passwdPath, access)
        try PluginFiles.write("\(name):x:\(instance.gid):\n", to: groupPath, access)
        environment["LD_PRELOAD"] = Programs.names
        environment["NSS_WRAPPER_PASSWD"] = passwdPath
        environment["NSS_WRAPPER_GROUP"] = groupPath
        return environment
    }
}
