// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Gives a home the sample datastore files when it has no `config/datastores` yet: from then on a datastore is enabled by
/// adding one file there, and disabled by removing it.
enum DatastoreSamples {
    private static let limit = 1 << 20

    /// All or nothing, by one process at a time; nothing happens to a home that has the directory.
    static func seed(_ home: Home, _ installation: Installation) throws {
        let target = home.configuration + "/datastores"
        guard !Files.exists(target) else { return }
        let draft = home.configuration + "/.datastores.new"
        try make(home.configuration)
        let lock = open(home.configuration, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw failure("cannot open \(home.configuration)") }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw failure("cannot lock \(home.configuration)") }
        guard !Files.exists(target) else { return }
        try Files.removeTree(draft)
        try make(draft)
        let samples = installation.configuration + "/datastores"
        for name in (Files.names(in: samples) ?? []) where name.hasSuffix(".yaml") {
            try copy(samples + "/" + name, to: draft + "/" + name)
        }
        guard rename(draft, target) == 0 else { throw failure("cannot make \(target)") }
    }

    private static func make(_ directory: String) throws {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw failure("cannot make the directory \(directory)")
        }
    }

    private static func copy(_ source: String, to target: String) throws {
        guard let bytes = Files.contents(source, limit: limit) else { throw failure("cannot read \(source)") }
        let file = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("cannot write \(target)") }
        defer { close(file) }
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw failure("cannot write \(target)")
        }
    }

    private static func failure(_ what: String) -> StartError {
        StartError("\(what): \(String(cString: strerror(errno)))")
    }
}
