// SPDX-License-Identifier: Apache-2.0

package import Model

extension BuiltInIdentity {
    /// Adds a user with roles on one project; see `IdentityAdministration` for the rules.
    @discardableResult
    package func addUser(
        name: String, password: Secret, project: String, roles: [String]
    ) async throws(IdentityError) -> String {
        let random = random
        let id = try await onDisk { files throws(IdentityError) -> String in
            try IdentityAdministration(directory: files.directory, random: random)
                .addUser(name: name, password: password, project: project, roles: roles)
        }
        try await reload()
        return id
    }

    /// Adds a project; see `IdentityAdministration` for the rules.
    @discardableResult
    package func addProject(name: String) async throws(IdentityError) -> String {
        let random = random
        let id = try await onDisk { files throws(IdentityError) -> String in
            try IdentityAdministration(directory: files.directory, random: random).addProject(name: name)
        }
        try await reload()
        return id
    }

    /// Takes over what another process wrote, without waiting for the next look at the file.
    package func reload() async throws(IdentityError) {
        try await onDisk { _ throws(IdentityError) in self.refresh() }
    }

    /// Writes `openrc` and `clouds.yaml` for this address, 0600, each replaced as a whole and only when it changes.
    ///
    /// - Parameters:
    ///   - home: Where the files go.
    ///   - baseURL: `http://host:port` of the API.
    /// - Returns: False when `credentials.json` was removed; then nothing is written.
    /// - Throws: `.files`.
    @discardableResult
    package func writeClientFiles(home: String, baseURL: String) async throws(IdentityError) -> Bool {
        let region = region
        return try await onDisk { files throws(IdentityError) -> Bool in
            guard let credentials = try IdentityBootstrap.load(from: files) else { return false }
            let target = PrivateFiles(directory: home)
            let settings = ClientFiles(authURL: baseURL + "/identity/v3", region: region)
            for (name, text) in [
                ("openrc", settings.openrc(credentials.member)), ("clouds.yaml", settings.cloudsYAML(credentials)),
            ] {
                let content = Array(text.utf8)
                if let present = try? target.read(name), present == content { continue }
                try target.write(name, content)
            }
            return true
        }
    }
}
