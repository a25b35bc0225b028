// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// A certificate authority in a directory of a test's own, made with openssl.
struct TestAuthority {
    /// A certificate and its key, as files and as PEM texts.
    struct Pair {
        var certificateFile: String
        var keyFile: String
        var certificate: String { get throws { try String(contentsOfFile: certificateFile, encoding: .utf8) } }
        var key: String { get throws { try String(contentsOfFile: keyFile, encoding: .utf8) } }

        /// The number of the certificate, as openssl prints it.
        var serial: String {
            get async throws {
                try await TestAuthority.openssl(["x509", "-in", certificateFile, "-noout", "-serial"])
            }
        }
    }

    let directory: String
    let own: Pair

    private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    init(_ name: String, in directory: String) async throws {
        self.directory = directory + "/" + name
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        own = Pair(certificateFile: self.directory + "/ca.pem", keyFile: self.directory + "/ca.key")
        _ = try await Self.openssl(
            ["req", "-x509"] + Self.key + [
                "-days", "2", "-subj", "/CN=\(name)", "-addext", "basicConstraints=critical,CA:TRUE",
                "-keyout", own.keyFile, "-out", own.certificateFile,
            ])
    }

    /// - Parameter address: In the certificate's names; nil for a client's.
    func issue(_ name: String, address: String? = nil, isExpired: Bool = false) async throws -> Pair {
        let pair = Pair(certificateFile: "\(directory)/\(name).pem", keyFile: "\(directory)/\(name).key")
        let request = "\(directory)/\(name).csr"
        _ = try await Self.openssl(
            ["req", "-new"] + Self.key + ["-subj", "/CN=\(name)", "-keyout", pair.keyFile, "-out", request])
        let names = address.map { "subjectAltName=IP:\($0),DNS:\(name).example\n" } ?? ""
        let extensions = "\(directory)/\(name).ext"
        try "basicConstraints=critical,CA:FALSE\n\(names)".write(toFile: extensions, atomically: true, encoding: .utf8)
        var arguments = [
            "x509", "-req", "-in", request, "-CA", own.certificateFile, "-CAkey", own.keyFile, "-set_serial",
            String(UInt32.random(in: 1...UInt32.max)), "-extfile", extensions, "-out", pair.certificateFile,
        ]
        if isExpired {
            arguments = [
                "ca", "-batch", "-notext", "-selfsign", "-keyfile", pair.keyFile, "-in", request, "-out",
                pair.certificateFile, "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-config",
                try databaseConfiguration(name), "-md", "sha256",
            ]
        } else {
            arguments += ["-days", "2"]
        }
        _ = try await Self.openssl(arguments)
        chmod(pair.keyFile, 0o600)
        return pair
    }

    /// What `openssl ca`, which can set a certificate's times, insists on.
    private func databaseConfiguration(_ name: String) throws -> String {
        let base = "\(directory)/\(name)"
        try "".write(toFile: base + ".index", atomically: true, encoding: .utf8)
        try """
        [ca]
        default_ca = own
        [own]
        database = \(base).index
        new_certs_dir = \(directory)
        rand_serial = yes
        policy = anything
        [anything]
        commonName = supplied
        """.write(toFile: base + ".cnf", atomically: true, encoding: .utf8)
        return base + ".cnf"
    }

    static func openssl(_ arguments: [String], input: String = "") async throws -> String {
        let result = try await Command.run(["/usr/bin/openssl"] + arguments, input: input)
        guard result.status == 0 else { throw TestFailure("openssl \(arguments.first ?? ""): \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Certificate containers of the key manager that a token's catalogue names.
struct KeyManagerClient {
    /// Its address, with the version.
    let base: String
    private let token: String

    init(_ client: RESTClient) throws {
        let entry = client.catalog.arrayValue?.first { $0["type"] == "key-manager" }
        let endpoints = entry?["endpoints"]?.arrayValue ?? []
        guard let url = endpoints.first(where: { $0["interface"] == "public" })?["url"]?.stringValue else {
            throw TestFailure("the catalogue names no key manager: \(client.catalog.text)")
        }
        var root = url
        while root.hasSuffix("/") { root.removeLast() }
        base = root.hasSuffix("/v1") ? root : root + "/v1"
        token = client.token
    }

    /// - Parameter authority: In the container's intermediates.
    /// - Returns: The container's reference.
    func container(_ pair: TestAuthority.Pair, key: String? = nil, authority: TestAuthority?) async throws -> String {
        var secrets: [JSONValue] = [
            ["name": "certificate", "secret_ref": .string(try await secret(try pair.certificate))],
            ["name": "private_key", "secret_ref": .string(try await secret(try key ?? pair.key))],
        ]
        if let authority {
            let reference = try await secret(try authority.own.certificate)
            secrets.append(["name": "intermediates", "secret_ref": .string(reference)])
        }
        let body: JSONValue = ["type": "certificate", "name": "engine", "secret_refs": .array(secrets)]
        return try await post("/containers", body, "container_ref")
    }

    private func secret(_ text: String) async throws -> String {
        try await post(
            "/secrets", ["name": "part", "payload": .string(text), "payload_content_type": "text/plain"], "secret_ref")
    }

    private func post(_ path: String, _ body: JSONValue, _ member: String) async throws -> String {
        let answer = try await RESTClient.send("POST", base + path, body, token: token)
        guard answer.status == 201, let reference = answer.body?[member]?.stringValue else {
            throw TestFailure("POST \(path): \(answer.status) \(String(decoding: answer.bytes, as: UTF8.self))")
        }
        return reference
    }
}
