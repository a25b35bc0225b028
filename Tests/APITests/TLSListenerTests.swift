// SPDX-License-Identifier: Apache-2.0

import API
import Glibc
import Model
import TestSupport
import Testing

@Suite("TLS listener")
struct TLSListenerTests {
    private static let alice = TestIdentity.projects["alice"] ?? ""

    private struct Setting {
        let api: APIFixture
        let port: UInt16
        let certificate: TestCertificate
        let other: TestCertificate
        let service: APIService
        let log: LogLines
    }

    private func withTLS(
        interval: Duration = .seconds(60), _ body: (Setting) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let certificate = try TestCertificate("first", in: directory)
            let other = try TestCertificate("second", in: directory)
            var configuration = APIFixture.configuration
            configuration.tls = APITLS(certificateFile: certificate.certificateFile, keyFile: certificate.keyFile)
            configuration.certificateCheckInterval = interval
            try await withAPI(configuration) { [configuration] api in
                let listener = try RawListener()
                defer { listener.close() }
                let log = LogLines()
                let running = RunningAPI(api, configuration, listener: listener.descriptor, logger: log.logger())
                try running.service.loadCertificates()
                try await running.whileServing {
                    try await body(
                        Setting(
                            api: api, port: listener.port, certificate: certificate, other: other,
                            service: running.service, log: log))
                }
            }
        }
    }

    @Test("TLS 1.2 and 1.3 are served, HTTP/1.1 is the only protocol, and links are https")
    func serving() async throws {
        try await withTLS { setting in
            let port = setting.port
            try await onThread { () throws in
                let client = try TLSClient(port: port)
                for (version, name) in [("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")] {
                    let opened = try client.open("a", version: version, protocols: "h2,http/1.1")
                    #expect(opened == ["name": "first", "version": .string(name), "protocol": "http/1.1"])
                    let versions = try client.get("a", "/")
                    #expect(versions["status"] == 200)
                    #expect(versions["body"]?.stringValue?.contains("\"https://127.0.0.1:\(port)/v1.0/\"") == true)
                    let list = try client.get("a", "/v1.0/\(Self.alice)/flavors")
                    #expect(list["status"] == 200)
                    let refused = try client.get("a", "/v1.0/mallory/flavors")
                    #expect(refused["status"] == 403)
                }
                #expect(try client.open("h2", protocols: "h2")["protocol"] == .null)
                let old = try client.open("old", version: "TLSv1_1")["error"]?.stringValue
                #expect(old?.contains("SSLError") == true)
            }
        }
    }

    @Test("plain HTTP on the TLS port ends cleanly and is logged at debug alone")
    func plain() async throws {
        try await withTLS { setting in
            let port = setting.port
            let isClosed = try await onThread {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                let end = connection.receive(responses: 0)
                return end.isClosed && errno != ECONNRESET
            }
            #expect(isClosed)
            #expect(setting.log.lines.contains { $0.hasPrefix("debug tls connection ended") })
            #expect(!setting.log.lines.contains { $0.hasPrefix("warning") || $0.hasPrefix("error") })
            // Still serving.
            try await onThread { () throws in
                let client = try TLSClient(port: port)
                _ = try client.open("a")
                #expect(try client.get("a", "/healthcheck")["body"] == "OK")
            }
        }
    }

    @Test("a reload serves the new certificate to new connections, and open ones go on")
    func reload() async throws {
        try await withTLS { setting in
            let client = try TLSClient(port: setting.port)
            #expect(try await onThread { try client.open("old") }["name"] == "first")
            try setting.certificate.replace(with: setting.other)
            await setting.service.reloadCertificates()
            try await onThread { () throws in
                #expect(try client.open("new")["name"] == "second")
                for connection in ["old", "new", "old"] {
                    #expect(try client.get(connection, "/v1.0/\(Self.alice)/flavors")["status"] == 200)
                }
            }
        }
    }

    @Test("a broken or mismatching pair is refused with a sentence, and the earlier one stays")
    func refusal() async throws {
        try await withTLS { setting in
            let client = try TLSClient(port: setting.port)
            let (certificate, other) = (setting.certificate, setting.other)
            try TestCertificate.replace(certificate.certificateFile, with: other.certificateFile)
            await setting.service.reloadCertificates()
            #expect(try await onThread { try client.open("a") }["name"] == "first")
            #expect(setting.log.lines.contains { $0.contains("is not that of the first certificate in") })
            try TestCertificate.replace(certificate.certificateFile, with: certificate.keyFile)
            await setting.service.reloadCertificates()
            #expect(setting.log.lines.contains { $0.contains("has no certificate in PEM form") })
            unlink(certificate.certificateFile)
            await setting.service.reloadCertificates()
            #expect(setting.log.lines.contains { $0.contains("cannot be read: No such file or directory") })
            #expect(try await onThread { try client.open("b") }["name"] == "first")
        }
    }

    @Test("files that change are read without being told, once both rest")
    func watching() async throws {
        try await withTLS(interval: .milliseconds(50)) { setting in
            let client = try TLSClient(port: setting.port)
            try setting.certificate.replace(with: setting.other)
            let deadline = ContinuousClock.now + .seconds(10)
            var name: JSONValue?
            repeat {
                name = try await onThread { try client.open("a") }["name"]
            } while name != "second" && ContinuousClock.now < deadline
            #expect(name == "second")
            chmod(setting.certificate.keyFile, 0o644)
            await setting.service.reloadCertificates()
            #expect(setting.log.lines.contains { $0.hasPrefix("warning") && $0.contains("set its mode to 0600") })
        }
    }

    @Test("what is wrong at the start is said with the file and the fix")
    func start() async throws {
        try await withTemporaryDirectory { directory in
            let first = try TestCertificate("first", in: directory)
            let second = try TestCertificate("second", in: directory)
            let absent = directory + "/absent.pem"
            let cases: [(certificate: String, key: String, code: ListenerError.Code, file: String, fix: String)] = [
                (absent, first.keyFile, .certificate, absent, "api.tls_certificate"),
                (first.certificateFile, absent, .key, absent, "api.tls_key"),
                (first.keyFile, first.keyFile, .certificate, first.keyFile, "api.tls_certificate"),
                (first.certificateFile, first.certificateFile, .key, first.certificateFile, "api.tls_key"),
                (first.certificateFile, second.keyFile, .mismatch, second.keyFile, "server's own certificate first"),
                (directory, first.keyFile, .certificate, directory, "not a regular file"),
            ]
            try await withAPI { api in
                for row in cases {
                    var configuration = APIFixture.configuration
                    configuration.tls = APITLS(certificateFile: row.certificate, keyFile: row.key)
                    let running = RunningAPI(api, configuration, listener: -1)
                    let error = try #require(throws: ListenerError.self) { try running.service.loadCertificates() }
                    #expect(error.code == row.code)
                    #expect(error.message.contains(row.file))
                    #expect(error.message.contains(row.fix))
                    await #expect(throws: ListenerError.self) { try await running.service.run() }
                }
            }
        }
    }
}
