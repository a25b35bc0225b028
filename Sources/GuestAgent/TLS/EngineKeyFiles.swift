// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The engine's certificate, key and authority as it reads them: copies in its run directory, under paths that stay.
///
/// The record is the agent's own, in its state directory; these are made from it before each start, since the run directory
/// does not outlive the machine. The engine may write the directory above, so nothing is followed.
struct EngineKeyFiles: Sendable {
    private let configuration: GuestConfiguration

    init(_ configuration: GuestConfiguration) { self.configuration = configuration }

    private enum Name: String, CaseIterable {
        case certificate = "certificate.pem"
        case key = "key.pem"
        case authority = "authority.pem"
    }

    private var directory: String { configuration.runDirectory + "/tls" }

    /// tls-request.
    func request(_ generation: TLSGeneration) -> JSONValue {
        var members: [String: JSONValue] = ["mode": .string(generation.mode.rawValue)]
        if generation.mode != .off {
            members["certificate_file"] = .string("\(directory)/\(Name.certificate.rawValue)")
            members["key_file"] = .string("\(directory)/\(Name.key.rawValue)")
        }
        if generation.mode == .mtls { members["authority_file"] = .string("\(directory)/\(Name.authority.rawValue)") }
        return .object(members)
    }

    /// Makes the files what the generation says, each whole: 0400, the engine's. Files that it does not have go.
    func place(_ generation: TLSGeneration) throws(GuestAgentError) {
        let contents: [(Name, String?)] = [
            (.certificate, generation.mode == .off ? nil : generation.certificate),
            (.key, generation.mode == .off ? nil : generation.privateKey.revealed),
            (.authority, generation.mode == .off ? nil : generation.authority),
        ]
        let isNeeded = generation.mode != .off
        guard let folder = try open(isNeeded) else { return }
        defer { close(folder) }
        for (name, text) in contents {
            if let text {
                try write(text, name.rawValue, folder)
            } else if unlinkat(folder, name.rawValue, 0) != 0, errno != ENOENT {
                throw FileAccess.failure("remove", directory + "/" + name.rawValue)
            }
        }
    }

    /// - Returns: nil when there is none and none is to be made.
    private func open(_ isNeeded: Bool) throws(GuestAgentError) -> Int32? {
        if isNeeded, mkdir(directory, 0o700) == 0, configuration.setIDs,
            lchown(directory, configuration.uid, configuration.gid) != 0
        {
            throw FileAccess.failure("set the owner of", directory)
        }
        let folder = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if folder >= 0 { return folder }
        guard errno == ENOENT, !isNeeded else { throw FileAccess.failure("open", directory) }
        return nil
    }

    private func write(_ text: String, _ name: String, _ folder: Int32) throws(GuestAgentError) {
        let (draft, path) = (name + ".new", directory + "/" + name)
        unlinkat(folder, draft, 0)
        let descriptor = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o400)
        guard descriptor >= 0 else { throw FileAccess.failure("write", path) }
        defer { close(descriptor) }
        let isWritten =
            FileAccess.writeAll(Array(text.utf8), to: descriptor) && fchmod(descriptor, 0o400) == 0
            && (!configuration.setIDs || fchown(descriptor, configuration.uid, configuration.gid) == 0)
            && renameat(folder, draft, folder, name) == 0
        guard isWritten else {
            let reason = errno
            unlinkat(folder, draft, 0)
            throw FileAccess.failure("write", path, reason)
        }
    }
}
