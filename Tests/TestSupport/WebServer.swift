// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A small web server in Python on 127.0.0.1, for one test.
///
/// `/hello` greets; `/echo` answers method, headers, the client's port and body's size and digest; `/slow` says nothing for a
/// minute; `/last` closes the connection behind its answer; `/big/<n>` sends n bytes; `/redirect` points at `/hello`;
/// `/status/<n>` answers with that status.
package final class WebServer {
    package let port: Int
    package var origin: String { "http://127.0.0.1:\(port)" }
    private let process: Process

    package init() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.program]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            process.terminate()
            throw CocoaError(.executableLoad)
        }
        self.port = port
    }

    /// Killed and not waited for: it may have inherited a mask without SIGTERM, and Foundation reaps it.
    deinit { kill(process.processIdentifier, SIGKILL) }

    private static let program = #"""
        import hashlib, http.server, json, threading, os, time
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *arguments): pass
            def body(self):
                digest, count = hashlib.sha256(), 0
                if self.headers.get("transfer-encoding", "").lower() == "chunked":
                    while True:
                        size = int(self.rfile.readline().strip() or b"0", 16)
                        left = size
                        while left:
                            part = self.rfile.read(min(left, 65536)); left -= len(part); digest.update(part)
                        count += size
                        self.rfile.readline()
                        if size == 0: break
                else:
                    left = int(self.headers.get("content-length", 0))
                    while left:
                        part = self.rfile.read(min(left, 65536)); left -= len(part); count += len(part)
                        digest.update(part)
                return count, digest.hexdigest()
            def answer(self, status, data, headers=()):
                self.send_response(status)
                for name, value in headers: self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(data)
            def serve(self):
                parts = self.path.split("?")[0].strip("/").split("/")
                count, digest = self.body()
                if parts[0] == "echo":
                    seen = {name.lower(): value for name, value in self.headers.items()}
                    self.answer(200, json.dumps({"method": self.command, "bytes": count, "sha256": digest,
                                                 "headers": seen, "port": self.client_address[1]}).encode(), [("X-Two", "a"), ("X-Two", "b")])
                elif parts[0] == "last":
                    self.answer(200, b"")
                    self.close_connection = True
                elif parts[0] == "slow":
                    time.sleep(60)
                elif parts[0] == "big":
                    left = int(parts[1])
                    self.send_response(200); self.send_header("content-length", str(left)); self.end_headers()
                    block = b"x" * 65536
                    try:
                        while left:
                            self.wfile.write(block[:min(left, 65536)]); left -= min(left, 65536)
                    except OSError: self.close_connection = True
                elif parts[0] == "redirect": self.answer(302, b"", [("Location", "/hello")])
                elif parts[0] == "status": self.answer(int(parts[1]), b"so")
                else: self.answer(200, b"hello")
            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve
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
