// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Model
import PluginHost

/// Signs a plugin's manifest, and with it the digest of the library.
struct SignPluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign a plugin's manifest: writes plugin.json.sig beside it.",
        discussion: """
            The signature is Ed25519 over the bytes of plugin.json, 64 bytes, as 'openssl pkeyutl -sign -rawin' makes it. \
            The manifest has the library's SHA-256, so sign after the library is built.
            """
    )

    @Option(help: ArgumentHelp("The private key, in PEM without a passphrase.", valueName: "file"))
    var key: String

    @Argument(help: ArgumentHelp("The plugin's directory.", valueName: "directory"))
    var directory: String

    func run() throws {
        do {
            let pem = try Self.privateKey(key)
            let manifest = directory + "/plugin.json"
            guard let bytes = Files.contents(manifest, limit: 1 << 20),
                let library = try? JSONValue(parsing: bytes)["library"], let name = library["file"]?.stringValue
            else { throw StartError("\(manifest): cannot be read as a manifest") }
            guard let digest = FileDigest.sha256(path: directory + "/" + name),
                digest == library["sha256"]?.stringValue
            else {
                throw StartError(
                    "\(directory)/\(name): its SHA-256 is not library.sha256 of \(manifest): build it again")
            }
            guard let signature = SigningKey.sign(bytes, pem: pem), let own = SigningKey.publicBytes(ofPrivate: pem)
            else {
                throw StartError("\(key): is no Ed25519 private key in PEM without a passphrase")
            }
            let path = manifest + ".sig"
            guard PrivateFile.write(signature, to: path, mode: 0o644) else {
                throw StartError("cannot write \(path): \(String(cString: strerror(errno)))")
            }
            Output.line("signed \(manifest) with the key \(SigningKey.fingerprint(own))")
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(1)
        }
    }

    /// A key that others can read is no secret any more.
    private static func privateKey(_ path: String) throws -> [UInt8] {
        var info = stat()
        guard stat(path, &info) == 0, let pem = Files.contents(path, limit: 1 << 14) else {
            throw StartError("\(path): cannot be read: \(String(cString: strerror(errno)))")
        }
        guard info.st_mode & 0o077 == 0 else {
            throw StartError(
                "\(path): can be read by group or others: chmod 600, and make a new key if anyone may have")
        }
        return pem
    }
}

/// Makes a key pair for signing plugins.
struct GenerateKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make an Ed25519 key pair for signing plugins.",
        discussion: """
            Writes NAME.key (private, 0600) and NAME.pem (public). Operators put NAME.pem into the trust directory \
            ($TROVE_HOME/config/trust).
            """
    )

    @Argument(help: ArgumentHelp("Path and name of the two files, without an ending.", valueName: "name"))
    var name: String

    func run() throws {
        do {
            for path in [name + ".key", name + ".pem"] where Files.exists(path) {
                throw StartError("\(path) is there already; it is left alone")
            }
            guard let pair = SigningKey.generate() else { throw StartError("no key can be made") }
            guard PrivateFile.write(pair.privateKey, to: name + ".key"),
                PrivateFile.write(pair.publicKey, to: name + ".pem", mode: 0o644)
            else { throw StartError("cannot write \(name).key and .pem: \(String(cString: strerror(errno)))") }
            let key = SigningKey.publicBytes(ofPrivate: pair.privateKey) ?? []
            Output.line("made \(name).key and \(name).pem, fingerprint \(SigningKey.fingerprint(key))")
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(1)
        }
    }
}
