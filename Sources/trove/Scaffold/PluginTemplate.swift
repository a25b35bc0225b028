// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The files of a new plugin, with placeholders in names and contents: `__NAME__`, `__ID__`, `__TYPE__`, `__SWIFT__`.
///
/// Shape: `templates/language/<language>`, `templates/<kind>/all` and `templates/<kind>/<language>`, laid over each other. A
/// file called `gitignore` becomes `.gitignore`.
struct PluginTemplate {
    enum Kind: String, CaseIterable {
        case datastore
        case backup
        case apiExtension = "api-extension"
    }

    enum Language: String, CaseIterable {
        case swift
        case c
        case rust
    }

    let kind: Kind
    let language: Language
    let name: PluginName
    let id: String
    /// Swift release of this host, e.g. `6.3`.
    let swiftRelease: String

    private static let sizeLimit = 1 << 20

    /// Writes the plugin as a new directory, whole or not at all.
    ///
    /// - Parameters:
    ///   - templates: The SDK's folder of templates.
    ///   - directory: Must not exist.
    /// - Throws: `StartError` naming what is in the way.
    func write(from templates: String, to directory: String) throws {
        var status = stat()
        guard lstat(directory, &status) != 0 else {
            throw StartError("\(directory) exists already; choose another name, or move it away")
        }
        let draft = directory + ".new.\(getpid())"
        do {
            try make(draft)
            for layer in [
                "language/\(language.rawValue)", "\(kind.rawValue)/all", "\(kind.rawValue)/\(language.rawValue)",
            ] {
                try copy(templates + "/" + layer, to: draft)
            }
            guard rename(draft, directory) == 0 else { throw failure("make", directory) }
        } catch {
            try? Files.removeTree(draft)
            throw error
        }
    }

    private func copy(_ source: String, to target: String) throws {
        guard let names = Files.names(in: source) else { throw failure("read the template", source) }
        for file in names {
            let (from, to) = (source + "/" + file, target + "/" + (file == "gitignore" ? ".gitignore" : filled(file)))
            var status = stat()
            guard stat(from, &status) == 0 else { throw failure("read the template", from) }
            if status.st_mode & S_IFMT == S_IFDIR {
                try make(to)
                try copy(from, to: to)
            } else {
                guard let bytes = Files.contents(from, limit: Self.sizeLimit) else {
                    throw failure("read the template", from)
                }
                try write(filled(String(decoding: bytes, as: UTF8.self)), to)
            }
        }
    }

    private func filled(_ text: String) -> String {
        [("__NAME__", name.text), ("__ID__", id), ("__TYPE__", name.camelCase), ("__SWIFT__", swiftRelease)]
            .reduce(text) { text, pair in text.replacing(pair.0, with: pair.1) }
    }

    private func make(_ directory: String) throws {
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw failure("make", directory) }
    }

    private func write(_ text: String, _ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("make", path) }
        defer { close(file) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    private func failure(_ what: String, _ path: String) -> StartError {
        StartError("cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }
}
