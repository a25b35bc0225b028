// SPDX-License-Identifier: Apache-2.0

import Client
import Model

/// A module's contents on their way to the service.
enum ModuleContents {
    /// Base64 of the file's bytes; `-` is standard input.
    static func read(_ file: String) throws -> JSONValue {
        guard let contents = Files.contents(file == "-" ? "/dev/stdin" : file, limit: 64 << 20) else {
            throw ClientError(.usage, "the file '\(file)' cannot be read, or has more than 64 MiB")
        }
        return .string(Base64.encode(contents))
    }
}
