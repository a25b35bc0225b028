// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// Whom to ask, and as whom: options that stand in for the `OS_*` variables. Secrets come from variables and files alone.
struct IdentityOptions: ParsableArguments {
    @Option(
        name: .customLong("home"),
        help: ArgumentHelp(
            "Read the variables from this control plane's openrc instead of the environment.", valueName: "directory"))
    var homePath: String?

    @Option(
        help: ArgumentHelp("Read them from this cloud of clouds.yaml (OS_CLOUD).", valueName: "name"))
    var osCloud: String?

    @Option(help: ArgumentHelp("Keystone v3 (OS_AUTH_URL).", valueName: "url"))
    var osAuthUrl: String?

    @Option(help: ArgumentHelp("password, token or v3applicationcredential (OS_AUTH_TYPE).", valueName: "type"))
    var osAuthType: String?

    @Option(help: ArgumentHelp("The user (OS_USERNAME).", valueName: "name"))
    var osUsername: String?

    @Option(help: ArgumentHelp("The user's domain (OS_USER_DOMAIN_NAME).", valueName: "name"))
    var osUserDomainName: String?

    @Option(help: ArgumentHelp("The project (OS_PROJECT_NAME).", valueName: "name"))
    var osProjectName: String?

    @Option(help: ArgumentHelp("The project (OS_PROJECT_ID).", valueName: "id"))
    var osProjectId: String?

    @Option(help: ArgumentHelp("The project's domain (OS_PROJECT_DOMAIN_NAME).", valueName: "name"))
    var osProjectDomainName: String?

    @Option(help: ArgumentHelp("The region (OS_REGION_NAME).", valueName: "name"))
    var osRegionName: String?

    @Option(help: ArgumentHelp("public, internal or admin (OS_INTERFACE).", valueName: "interface"))
    var osInterface: String?

    @Option(help: ArgumentHelp("Certificates to trust, PEM (OS_CACERT).", valueName: "file"))
    var osCacert: String?

    @Flag(help: "Trust every certificate (OS_INSECURE).")
    var insecure = false

    func settings() throws -> ClientSettings {
        let given: [String: String?] = [
            "OS_AUTH_URL": osAuthUrl, "OS_AUTH_TYPE": osAuthType, "OS_USERNAME": osUsername,
            "OS_USER_DOMAIN_NAME": osUserDomainName, "OS_PROJECT_NAME": osProjectName, "OS_PROJECT_ID": osProjectId,
            "OS_PROJECT_DOMAIN_NAME": osProjectDomainName, "OS_REGION_NAME": osRegionName, "OS_INTERFACE": osInterface,
            "OS_CACERT": osCacert, "OS_INSECURE": insecure ? "true" : nil,
        ]
        // A project that is named takes the place of the id in the environment.
        let hidden: Set<String> = osProjectName != nil && osProjectId == nil ? ["OS_PROJECT_ID"] : []
        func value(_ name: String, _ other: (String) -> String?) -> String? {
            hidden.contains(name) ? nil : given[name].flatMap { $0 } ?? other(name)
        }
        if let cloud = osCloud ?? (homePath == nil ? Environment.value("OS_CLOUD") : nil) {
            guard homePath == nil else { throw ClientError(.usage, "give --home or --os-cloud, not both") }
            let file = try CloudsFile(cloud: cloud, environment: Environment.value)
            return try ClientSettings(
                { value($0) { file.variables[$0] } }, source: "cloud '\(cloud)' of \(file.path)")
        }
        guard let homePath else {
            return try ClientSettings({ value($0) { Environment.value($0) } }, source: "the environment")
        }
        let path = Home(path: homePath).path + "/openrc"
        guard let bytes = Files.contents(path, limit: 1 << 16) else {
            throw ClientError(.configuration, "cannot read \(path); 'trove serve' makes it")
        }
        let variables = OpenRC.variables(String(decoding: bytes, as: UTF8.self))
        return try ClientSettings({ value($0) { variables[$0] } }, source: path)
    }
}

/// In which form an answer is printed.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print the API's own objects as JSON.")
    var isJSON = false

    var printer: Printer { Printer(isJSON ? .json : .table) }
}

/// Whether a command ends with its operation.
struct WaitOptions: ParsableArguments {
    @Flag(name: .customLong("wait"), help: "Wait until the operation has ended.")
    var isWaiting = false

    @Option(help: ArgumentHelp("Wait no longer than this; the operation goes on.", valueName: "seconds"))
    var timeout = 3600

    func validate() throws {
        guard (1...604_800).contains(timeout) else {
            throw ValidationError("--timeout is in seconds, from 1 to 604800")
        }
    }
}
