// SPDX-License-Identifier: Apache-2.0

import HTTPClient
package import Model

/// Whom a client command asks, and as whom: the `OS_*` variables of the OpenStack clients.
///
/// ## Variables
/// - `OS_AUTH_URL` (required): of Keystone v3, with or without `/v3`
/// - `OS_AUTH_TYPE`: `password`, `token` or `v3applicationcredential`, also as `v3password` and `v3token`; without it what
///   the other variables are for
/// - `OS_USERNAME` or `OS_USER_ID`, and `OS_PASSWORD` (secret); or `OS_TOKEN` (secret); or `OS_APPLICATION_CREDENTIAL_ID`, or
///   `OS_APPLICATION_CREDENTIAL_NAME` and the user, and `OS_APPLICATION_CREDENTIAL_SECRET` (secret)
/// - `OS_PROJECT_NAME` or `OS_PROJECT_ID` (required but for an application credential, which has its own)
/// - `OS_USER_DOMAIN_NAME`, `OS_USER_DOMAIN_ID`, `OS_PROJECT_DOMAIN_NAME`, `OS_PROJECT_DOMAIN_ID` (default: the name `Default`)
/// - `OS_REGION_NAME` (default: the first in the catalogue), `OS_INTERFACE` (`public`, `internal` or `admin`), `OS_CACERT`
/// - `OS_INSECURE`: `true` or `1` trusts every certificate
package struct ClientSettings: Sendable {
    package enum Credentials: Sendable {
        case password(Name, Secret)
        case token(Secret)
        /// The user belongs to a name; an id stands alone.
        case applicationCredential(id: String?, name: String?, user: Name?, Secret)
    }

    /// Something of the identity service, by id or by name in a domain.
    package enum Name: Sendable, Hashable {
        case id(String)
        case name(String, domain: Domain)

        /// What a message calls it.
        package var text: String {
            switch self {
            case .id(let text), .name(let text, _): text
            }
        }
    }

    package enum Domain: Sendable, Hashable {
        case id(String)
        case name(String)
    }

    package var authURL: String
    package var credentials: Credentials
    /// nil for an application credential.
    package var project: Name?
    package var region: String?
    /// `public`, `internal` or `admin`.
    package var interface: String
    package var caFile: String?
    package var isInsecure: Bool

    /// - Parameters:
    ///   - variable: The value of an `OS_*` variable; nil when it is unset or empty.
    ///   - source: Where they are from, for messages.
    /// - Throws: `ClientError` that names the missing variable.
    package init(_ variable: @escaping (String) -> String?, source: String) throws {
        let reader = VariableReader(variable, source)
        authURL = try Self.authURL(reader)
        credentials = try Self.credentials(reader)
        if case .applicationCredential = credentials { project = nil } else { project = try Self.project(reader) }
        region = variable("OS_REGION_NAME")
        interface = try Self.interface(reader)
        caFile = variable("OS_CACERT")
        isInsecure = ["1", "true", "yes", "on"].contains(variable("OS_INSECURE")?.lowercased() ?? "")
    }

    private static func authURL(_ reader: VariableReader) throws -> String {
        var url = try reader.required("OS_AUTH_URL")
        while url.hasSuffix("/") { url.removeLast() }
        do { _ = try HTTPAddress(url) } catch {
            throw ClientError(
                error.code == .invalidRequest ? .configuration : .unavailable,
                "OS_AUTH_URL in \(reader.source) cannot be used: \(error.message)")
        }
        return url.hasSuffix("/v3") ? url : url + "/v3"
    }

    private static func credentials(_ reader: VariableReader) throws -> Credentials {
        let hasUser = reader["OS_USERNAME"] != nil || reader["OS_USER_ID"] != nil
        let hasCredential =
            reader["OS_APPLICATION_CREDENTIAL_ID"] != nil || reader["OS_APPLICATION_CREDENTIAL_NAME"] != nil
        let guess =
            hasCredential ? "v3applicationcredential" : !hasUser && reader["OS_TOKEN"] != nil ? "token" : "password"
        let kind = reader["OS_AUTH_TYPE"] ?? guess
        switch kind {
        case "password", "v3password":
            return .password(try user(reader), Secret(try reader.required("OS_PASSWORD")))
        case "token", "v3token": return .token(Secret(try reader.required("OS_TOKEN")))
        case "v3applicationcredential":
            let id = reader["OS_APPLICATION_CREDENTIAL_ID"]
            let name = id == nil ? try reader.required("OS_APPLICATION_CREDENTIAL_NAME") : nil
            return .applicationCredential(
                id: id, name: name, user: id == nil ? try user(reader) : nil,
                Secret(try reader.required("OS_APPLICATION_CREDENTIAL_SECRET")))
        default:
            throw ClientError(
                .configuration,
                "OS_AUTH_TYPE '\(kind)' in \(reader.source) is not known here; use password, token or v3applicationcredential"
            )
        }
    }

    private static func user(_ reader: VariableReader) throws -> Name {
        if let id = reader["OS_USER_ID"] { return .id(id) }
        return .name(try reader.required("OS_USERNAME"), domain: reader.domain("OS_USER_DOMAIN"))
    }

    private static func project(_ reader: VariableReader) throws -> Name {
        if let id = reader["OS_PROJECT_ID"] { return .id(id) }
        return .name(try reader.required("OS_PROJECT_NAME"), domain: reader.domain("OS_PROJECT_DOMAIN"))
    }

    /// `OS_ENDPOINT_TYPE` is the variable's older name, and `publicURL` an older form of its value.
    private static func interface(_ reader: VariableReader) throws -> String {
        let text = reader["OS_INTERFACE"] ?? reader["OS_ENDPOINT_TYPE"] ?? "public"
        let value = text.hasSuffix("URL") ? String(text.dropLast(3)) : text
        guard ["public", "internal", "admin"].contains(value) else {
            throw ClientError(
                .configuration, "OS_INTERFACE '\(text)' in \(reader.source) must be public, internal or admin")
        }
        return value
    }
}

/// Variables by name, and what to say when one is missing.
private struct VariableReader {
    private let variable: (String) -> String?
    let source: String

    init(_ variable: @escaping (String) -> String?, _ source: String) {
        self.variable = variable
        self.source = source
    }

    subscript(_ name: String) -> String? { variable(name) }

    func required(_ name: String) throws -> String {
        guard let value = variable(name) else {
            throw ClientError(
                .configuration, "\(name) is not set in \(source); load an openrc file, or name the home with --home")
        }
        return value
    }

    func domain(_ prefix: String) -> ClientSettings.Domain {
        variable(prefix + "_ID").map { .id($0) } ?? .name(variable(prefix + "_NAME") ?? "Default")
    }
}
