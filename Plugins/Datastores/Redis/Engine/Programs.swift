// SPDX-License-Identifier: Apache-2.0

/// Where the programs are.
enum Programs {
    /// The server.
    static let server = "/usr/bin/redis-server"
    static let makeDirectory = "/usr/bin/mkdir"
    static let link = "/usr/bin/ln"
    static let copy = "/usr/bin/cp"
    static let move = "/usr/bin/mv"
    static let remove = "/usr/bin/rm"
    /// All of them.
    static let all = [server, makeDirectory, link, copy, move, remove]
}
