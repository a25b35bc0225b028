// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Which functions of a plugin the calling thread runs now.
enum ThreadRole: Int {
    case none = 0
    /// Functions tagged `[worker]`.
    case worker
    /// Functions tagged `[loader]`.
    case loader

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    static var current: ThreadRole { ThreadRole(rawValue: Int(bitPattern: pthread_getspecific(key))) ?? .none }

    /// Runs plugin code in a role; the one before comes back afterwards.
    static func run<Result>(_ role: ThreadRole, _ body: () -> Result) -> Result {
        let before = pthread_getspecific(key)
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: role.rawValue))
        defer { pthread_setspecific(key, before) }
        return body()
    }
}
