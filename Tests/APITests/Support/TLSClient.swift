// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

/// A client in Python, whose TLS is OpenSSL's. Blocks: use it from `onThread`.
final class TLSClient: @unchecked Sendable {
    // One test, one thread at a time.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest = Data()

    init(port: UInt16) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.program, String(port)]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// It may have inherited a mask without SIGTERM.
    deinit { kill(process.processIdentifier, SIGKILL) }

    /// Opens a connection; answers `name`, `version`, `protocol`, or `error`.
    func open(_ connection: String, version: String = "any", protocols: String = "http/1.1") throws -> JSONValue {
        try command("open", connection, version, protocols)
    }

    /// Sends a request on an open connection; answers `status`, `headers`, `body`, or `error`.
    func get(_ connection: String, _ path: String) throws -> JSONValue { try command("get", connection, path) }

    private func command(_ words: String...) throws -> JSONValue {
        input.fileHandleForWriting.write(Data((words.joined(separator: " ") + "\n").utf8))
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(rest[..<end])
                rest = Data(rest[(end + 1)...])
                return try JSONValue(parsing: line)
            }
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty)
            rest += more
        }
    }

    private static let program = #"""
        import http.client, json, socket, ssl, sys
        port, open_ones = int(sys.argv[1]), {}
        def context(version, protocols):
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            made.set_alpn_protocols(protocols.split(","))
            if version != "any":
                made.set_ciphers("ALL:@SECLEVEL=0")
                made.minimum_version = made.maximum_version = getattr(ssl.TLSVersion, version)
            return made
        def common_name(pem):
            import subprocess
            text = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem.encode(), capture_output=True)
            return text.stdout.decode().strip().split("CN = ")[-1]
        def run(words):
            if words[0] == "open":
                plain = socket.create_connection(("127.0.0.1", port), 8)
                secure = context(words[2], words[3]).wrap_socket(plain)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
                connection.sock = secure
                connection.auto_open = 0
                open_ones[words[1]] = connection
                name = common_name(ssl.DER_cert_to_PEM_cert(secure.getpeercert(True)))
                return {"name": name, "version": secure.version(), "protocol": secure.selected_alpn_protocol()}
            connection = open_ones[words[1]]
            connection.request("GET", words[2], headers={"X-Auth-Token": "alice"})
            answer = connection.getresponse()
            body = answer.read().decode()
            return {"status": answer.status, "headers": {k.lower(): v for k, v in answer.getheaders()}, "body": body}
        for line in sys.stdin:
            try: result = run(line.split())
            except Exception as error: result = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(result), flush=True)
        """#
}
