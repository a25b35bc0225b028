// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The locks of processes that share a home, each with some of the roles. One with all roles has `HomeLock`, alone.
enum RoleLock {
    /// Says that this process serves `roles`, and keeps a process with all roles away.
    ///
    /// - Returns: The descriptor that says so as long as any process has it open, and the lowest number that no other process
    ///   with these roles has, from 1.
    static func take(_ home: Home, _ roles: Set<Role>) throws -> (descriptor: Int32, number: Int) {
        try HomeLock.share(home)
        guard mkdir(home.roles, 0o700) == 0 || errno == EEXIST else { throw failure(home.roles) }
        for number in 1...1000 {
            if let descriptor = try attempt(home.roles + "/\(Role.text(roles))-\(number)") {
                return (descriptor, number)
            }
        }
        throw StartError("1000 processes serve \(Role.text(roles)) of \(home.path)")
    }

    /// - Returns: nil when another process has the file, or removes it just now.
    private static func attempt(_ path: String) throws -> Int32? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        var (own, there) = (stat(), stat())
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &own) == 0, stat(path, &there) == 0,
            own.st_ino == there.st_ino
        else {
            close(descriptor)
            return nil
        }
        HomeLock.write(.own, to: descriptor)
        return descriptor
    }

    /// Who serves some of the roles. Files of those that have ended are removed.
    static func holders(_ home: Home) -> [LockHolder] {
        (Files.names(in: home.roles) ?? []).compactMap { name in
            let path = home.roles + "/" + name
            let descriptor = open(path, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            let holder = Files.contents(path, limit: 256).flatMap { LockHolder(String(decoding: $0, as: UTF8.self)) }
            if flock(descriptor, LOCK_SH | LOCK_NB) != 0 { return holder }
            // Without a name in it, its owner has not got as far as the lock.
            guard let holder else { return nil }
            unlink(path)
            unlink(home.pluginStatus(of: holder.pid))
            return nil
        }
    }

    private static func failure(_ path: String) -> StartError {
        StartError("cannot take \(path): \(String(cString: strerror(errno)))")
    }
}

/// Everything that serves a home.
enum HomeHolders {
    static func all(_ home: Home) -> [LockHolder] {
        if let whole = HomeLock.holder(home) { return [whole] }
        return RoleLock.holders(home)
    }
}
