// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// A library that may be loaded, open.
struct VerifiedLibrary: Sendable {
    /// The bytes that were hashed are those it reads; the caller's to close.
    let file: Int32
    let sha256: String
    /// Who signed the manifest, `name (fingerprint)`; nil without a signature by a trusted key.
    let signer: String?
}

/// Decides whether a plugin's files can be trusted. Nothing is remembered: each load asks again.
struct PluginVerifier: Sendable {
    let trust: PluginTrust

    private static let signatureName = "plugin.json.sig"

    /// Opens a candidate's library and checks owner, mode, digest, pin, signature and report at this moment.
    ///
    /// The manifest that is judged is the one that was read when the candidate was found, byte for byte.
    func open(_ candidate: PluginCandidate) throws(PluginRefusal) -> VerifiedLibrary {
        let slash = candidate.directory.lastIndex(of: "/") ?? candidate.directory.startIndex
        let parent = slash == candidate.directory.startIndex ? "/" : String(candidate.directory[..<slash])
        let root = try SecureFile.openRoot(parent)
        defer { close(root.directory) }
        // By its name, so that a symbolic link that took the directory's place is refused.
        let name = String(candidate.directory[candidate.directory.index(after: slash)...])
        let directory = try SecureFile.openDirectory(name, in: root.directory, path: candidate.directory)
        defer { close(directory) }
        let file = try SecureFile.openFile(
            candidate.manifest.library.file, in: directory, path: candidate.libraryPath)
        do throws(PluginRefusal) {
            guard let digest = FileDigest.sha256(file) else {
                throw refuse(candidate, .hash, SecureFile.reason("cannot be read"))
            }
            try checkDigest(digest, candidate)
            let signer = try signer(of: candidate, in: directory)
            if trust.conformance == .required {
                try ConformanceRecord(directory: trust.reports).require(digest, candidate)
            }
            return VerifiedLibrary(file: file, sha256: digest, signer: signer)
        } catch {
            close(file)
            throw error
        }
    }

    private func checkDigest(_ digest: String, _ candidate: PluginCandidate) throws(PluginRefusal) {
        guard trust.digest != .off else { return }
        guard digest == candidate.manifest.library.sha256 else {
            throw refuse(candidate, .hash, "SHA-256 is not the one of library.sha256 in the manifest")
        }
        guard trust.digest == .pinned else { return }
        let reference = candidate.manifest.reference
        guard let pin = trust.pins[reference] else {
            throw refuse(
                candidate, .pin,
                "trust is 'pinned' and there is no pin for \(reference); its SHA-256 is \(digest): "
                    + "add it to trust.pins of plugins.yaml if it is the one you mean")
        }
        guard pin == digest else {
            throw refuse(candidate, .pin, "SHA-256 is \(digest), trust.pins has \(pin) for \(reference)")
        }
    }

    /// Without the mode `signed`, a signature that fits is shown, and one that does not is no reason to refuse.
    private func signer(of candidate: PluginCandidate, in directory: Int32) throws(PluginRefusal) -> String? {
        let path = candidate.directory + "/" + Self.signatureName
        if trust.digest != .signed {
            guard let keys = try? TrustKeys.read(trust.keys), !keys.isEmpty,
                let signature = try? read(directory, path)
            else { return nil }
            return find(signature, candidate, keys)
        }
        let keys = try TrustKeys.read(trust.keys)
        guard !keys.isEmpty else {
            throw refuse(
                candidate, .signature, "trust is 'signed' and there is no *.pem in the trust directory '\(trust.keys)'")
        }
        let signature = try read(directory, path)
        guard let signer = find(signature, candidate, keys) else {
            throw PluginRefusal(
                path: path, id: candidate.manifest.id, cause: .signature,
                message: "does not fit the manifest under any trusted key ("
                    + keys.map { "\($0.name) \($0.fingerprint)" }.joined(separator: ", ") + ")")
        }
        return signer
    }

    private func find(_ signature: [UInt8], _ candidate: PluginCandidate, _ keys: [TrustKey]) -> String? {
        keys.first { SigningKey.verify(signature, candidate.manifestBytes, key: $0.bytes) }
            .map { "\($0.name) (\($0.fingerprint))" }
    }

    private func read(_ directory: Int32, _ path: String) throws(PluginRefusal) -> [UInt8] {
        let file: Int32
        do {
            file = try SecureFile.openFile(Self.signatureName, in: directory, path: path)
        } catch {
            guard error.cause == .notFound else { throw error }
            throw PluginRefusal(
                path: path, cause: .signature,
                message: "is not there, and trust is 'signed': sign the plugin with 'trove plugin sign'")
        }
        defer { close(file) }
        guard let bytes = SecureFile.contents(file, limit: 4096), bytes.count == SigningKey.signatureBytes else {
            throw PluginRefusal(
                path: path, cause: .signature, message: "is not an Ed25519 signature of 64 bytes")
        }
        return bytes
    }

    private func refuse(
        _ candidate: PluginCandidate, _ cause: PluginRefusal.Cause, _ message: String
    ) -> PluginRefusal {
        PluginRefusal(path: candidate.libraryPath, id: candidate.manifest.id, cause: cause, message: message)
    }
}
