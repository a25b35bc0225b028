// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOSSL

/// A certificate and its key as they were on the disk at one moment. Blocking.
struct CertificatePair: Sendable {
    /// Which versions of the two files are on the disk; nil for one that cannot be seen.
    struct Stamp: Sendable, Hashable {
        private struct File: Hashable {
            let device: UInt64
            let inode: UInt64
            let size: Int64
            let seconds: Int
            let nanoseconds: Int
        }

        private let certificate: File?
        private let key: File?

        init(_ files: APITLS) {
            certificate = Self.file(files.certificateFile)
            key = Self.file(files.keyFile)
        }

        private static func file(_ path: String) -> File? {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            return File(
                device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
                seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        }
    }

    let context: NIOSSLContext
    let stamp: Stamp
    /// Sentences about what is usable and still not as it should be.
    let warnings: [String]

    /// Reads the files and checks that they belong together.
    ///
    /// TLS 1.2 and later; HTTP/1.1 is the only protocol offered. Source: RFC 9325 §3.1, RFC 7301.
    init(reading files: APITLS) throws(ListenerError) {
        stamp = Stamp(files)
        var warnings: [String] = []
        let chain = try Self.certificates(files.certificateFile)
        let key = try Self.key(files.keyFile, &warnings)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // A client that does not answer the end of the session would hold up a stop.
        configuration.shutdownTimeout = .seconds(1)
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw ListenerError(
                .mismatch,
                """
                the key in \(files.keyFile) is not that of the first certificate in \(files.certificateFile); put the \
                server's own certificate first, and its key into the other file
                """)
        }
        let now = time(nil)
        if let own = chain.first, own.notValidAfter < now || own.notValidBefore > now {
            let fault = own.notValidAfter < now ? "has expired" : "is not valid yet"
            warnings.append("the certificate in \(files.certificateFile) \(fault): clients will refuse it")
        }
        self.warnings = warnings
    }

    private static func certificates(_ path: String) throws(ListenerError) -> [NIOSSLCertificate] {
        let (bytes, _) = try read(path, .certificate, "certificate", setting: "api.tls_certificate")
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty else {
            throw ListenerError(
                .certificate, "\(path) has no certificate in PEM form; name one that has with api.tls_certificate")
        }
        return chain
    }

    private static func key(_ path: String, _ warnings: inout [String]) throws(ListenerError) -> NIOSSLPrivateKey {
        let (bytes, mode) = try read(path, .key, "key", setting: "api.tls_key")
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw ListenerError(
                .key, "\(path) has no private key in PEM form without a passphrase; name one that has with api.tls_key")
        }
        // A group of those who may read keys is usual.
        if mode & 0o027 != 0 {
            warnings.append("others may read or change the key in \(path); set its mode to 0600")
        }
        return key
    }

    private static func read(
        _ path: String, _ code: ListenerError.Code, _ noun: String, setting: String
    ) throws(ListenerError) -> (bytes: [UInt8], mode: mode_t) {
        func failure(_ reason: String) -> ListenerError {
            ListenerError(
                code, "the API's \(noun) file \(path) cannot be read: \(reason); name a PEM file with \(setting)")
        }
        // A pipe without a writer would hold this up for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure("it is not a regular file")
        }
        guard status.st_size <= 1 << 20 else { throw failure("it is larger than 1 MiB") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: length), $0.count - length)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(String(cString: strerror(errno))) }
            if count == 0 { break }
            length += count
        }
        return (Array(bytes[..<length]), status.st_mode)
    }
}
