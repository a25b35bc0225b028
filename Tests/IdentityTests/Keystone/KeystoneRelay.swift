// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPClient

@testable import Identity

/// Stands before a real Keystone and passes everything on, but for the faults that Keystone cannot be made to show.
final class KeystoneRelay: Sendable {
    let url: String
    private let origin: String
    private let process: Process

    init(to keystone: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.program, String(keystone.dropLast("/v3".count))]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            process.terminate()
            throw CocoaError(.executableLoad)
        }
        self.process = process
        origin = "http://127.0.0.1:\(port)"
        url = origin + "/v3"
    }

    deinit { kill(process.processIdentifier, SIGKILL) }

    /// Answers the next requests by itself; status 0 closes the connection without a word.
    func answerNext(with status: Int, retryAfter: Int?, times: Int = 1) async throws {
        let address = try HTTPAddress("\(origin)/fault?\(status)&\(retryAfter.map(String.init) ?? "")&\(times)")
        let lane = BlockingLane(threads: 1, capacity: 1, refusal: "busy")
        _ = try await lane.run { () throws(IdentityError) -> Int in
            do throws(HTTPClientError) {
                return try HTTPExchanger().perform(
                    HTTPRequest("GET", address), limits: HTTPLimits(deadline: .now + .seconds(10))
                ).status
            } catch { throw IdentityError(.unavailable, error.message) }
        }
    }

    private static let program = #"""
        import http.server, os, sys, threading, time, urllib.error, urllib.request
        faults = []
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *arguments): pass
            def answer(self, status, data, headers):
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "server", "date"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.path.startswith("/fault?"):
                    status, retry_after, times = self.path.split("?")[1].split("&")
                    faults.extend([(int(status), retry_after)] * int(times))
                    return self.answer(200, b"", [])
                if faults:
                    status, retry_after = faults.pop(0)
                    if not status:
                        self.close_connection = True
                        return
                    headers = [("Retry-After", retry_after)] if retry_after else []
                    return self.answer(status, b"<html>", headers + ([("Location", "/")] if status == 302 else []))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
                request = urllib.request.Request(sys.argv[1] + self.path, method=self.command, data=body or None, headers=headers)
                try:
                    with urllib.request.urlopen(request, timeout=30) as response:
                        self.answer(response.status, response.read(), response.headers.items())
                except urllib.error.HTTPError as error:
                    self.answer(error.code, error.read(), error.headers.items())
            do_GET = do_POST = do_DELETE = serve
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        parent = os.getppid()
        def watch():
            while os.getppid() == parent: time.sleep(0.5)
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
        print(server.server_port, flush=True)
        server.serve_forever()
        """#
}
