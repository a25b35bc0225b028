// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// Names a template after everything that its content depends on.
enum TemplateKey {
    /// Shape: `<datastore>-<version>-<16 hex digits>`, file-name safe.
    ///
    /// - Parameters:
    ///   - datastore: Name of the datastore.
    ///   - version: Name of its version.
    ///   - pluginDigest: SHA-256 of the plugin's library.
    ///   - programs: The engine's programs; their size and modification time count, so that an upgraded engine gets a
    ///     new template.
    static func make(datastore: String, version: String, pluginDigest: String, programs: [String]) -> String {
        var text = "\(datastore)\0\(version)\0\(pluginDigest)"
        for program in programs.sorted() {
            var status = stat()
            if stat(program, &status) == 0 {
                text += "\0\(program)\0\(status.st_size)\0\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            }
        }
        let name = "\(datastore)-\(version)".map {
            $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_"
        }
        return String(name) + "-" + StableHash.digits(text.utf8)
    }
}
