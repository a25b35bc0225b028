// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model

/// Whom a client command asks, and as whom: the `OS_*` variables of the OpenStack clients.
///
/// ## Variables
/// - `OS_AUTH_URL` (required): of Keystone v3, with or without `/v3`
/// - `OS_USERNAME`, `OS_PASSWORD` (required, secret)
/// - `OS_PROJECT_NAME` or `OS_PROJECT_ID` (required)
/// - `OS_USER_DOMAIN_NAME`, `OS_PROJECT_DOMAIN_NAME` (default: `Default`)
/// - `OS_REGION_NAME` (default: the first in the catalogue), `OS_CACERT`
struct ClientSettings: Sendable {
    var authURL: String
    var userName: String
    var password: Secret
    var projectName: String?
    var projectID: String?
    var userDomain: String
    var projectDomain: String
    var region: String?
    var caFile: String?

    /// - Throws: `ClientError` that names the missing variable.
    init(_ variable: (String) -> String?, source: String) throws {
        func required(_ name: String) throws -> String {
            guard let value = variable(name) else {
                throw ClientError(
                    .configuration, "\(name) is not set in \(source); load an openrc file, or name the home with --home"
                )
            }
            return value
        }
        var url = try required("OS_AUTH_URL")
        while url.hasSuffix("/") { url.removeLast() }
        do { _ = try HTTPAddress(url) } catch {
            throw ClientError(
                error.code == .invalidRequest ? .configuration : .unavailable,
                "OS_AUTH_URL in \(source) cannot be used: \(error.message)")
        }
        authURL = url.hasSuffix("/v3") ? url : url + "/v3"
        userName = try required("OS_USERNAME")
        password = Secret(try required("OS_PASSWORD"))
        projectID = variable("OS_PROJECT_ID")
        projectName = projectID == nil ? try required("OS_PROJECT_NAME") : nil
        userDomain = variable("OS_USER_DOMAIN_NAME") ?? "Default"
        projectDomain = variable("OS_PROJECT_DOMAIN_NAME") ?? "Default"
        region = variable("OS_REGION_NAME")
        caFile = variable("OS_CACERT")
    }

    /// From the openrc file of a home, or from the environment without one.
    static func read(home: Home?) throws -> ClientSettings {
        guard let home else { return try ClientSettings({ Environment.value($0) }, source: "the environment") }
        let path = home.path + "/openrc"
        guard let bytes = Files.contents(path, limit: 1 << 16) else {
            throw ClientError(.configuration, "cannot read \(path); 'trove serve' makes it")
        }
        let variables = Self.variables(String(decoding: bytes, as: UTF8.self))
        return try ClientSettings({ variables[$0] }, source: path)
    }

    /// `export NAME=value` lines, the value bare or in single quotes. Source: POSIX shell, "Single-Quotes".
    static func variables(_ text: String) -> [String: String] {
        var variables: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("export ") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            variables[String(parts[0])] = unquoted(String(parts[1]))
        }
        return variables
    }

    private static func unquoted(_ text: String) -> String {
        var (value, isQuoted, isEscaped) = ("", false, false)
        for character in text {
            switch character {
            case _ where isEscaped:
                value.append(character)
                isEscaped = false
            case "'": isQuoted.toggle()
            case "\\" where !isQuoted: isEscaped = true
            default: value.append(character)
            }
        }
        return value
    }
}

/// Why a client command failed.
struct ClientError: Error, Sendable, CustomStringConvertible {
    /// The raw value is the exit code. Source: sysexits.h for those from 64 on.
    enum Code: Int32, Sendable {
        /// The service refused, or the operation failed.
        case refused = 1
        case usage = 64
        /// Nobody answers.
        case unavailable = 69
        /// The answer cannot be understood.
        case protocolError = 76
        /// Wrong name or password.
        case notAuthenticated = 77
        case configuration = 78
    }

    var code: Code
    /// One sentence without secrets.
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { message }
}
