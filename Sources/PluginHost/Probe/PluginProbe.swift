// SPDX-License-Identifier: Apache-2.0

/// The trial load of a library in a child process.
package enum PluginProbe {
    package static func run(file: String) -> Int32 { 0 }
}
