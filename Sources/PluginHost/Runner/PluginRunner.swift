// SPDX-License-Identifier: Apache-2.0

package import Logging

/// The process that maps the control plane's half of the plugins.
package enum PluginRunner {
    package static func main(fd: Int32, logger: Logger) -> Int32 { 0 }
}
