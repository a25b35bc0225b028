// SPDX-License-Identifier: Apache-2.0

import Model

/// The version documents, outside the pipeline. Source: REST contract §2.
enum VersionDocuments {
    /// Where they are shown.
    static let paths: Set<String> = ["", "/", "/.xml", "/v1.0", "/v1.0/", "/v1.0.xml", "/v1.0/.xml"]

    /// `{"versions": [entry]}`.
    static func versions(baseURL: String) -> APIResponse {
        .json { writer in
            writer.object { writer in
                writer.key("versions")
                writer.array { writer in writeEntry(&writer, baseURL) }
            }
        }
    }

    /// `{"version": entry}`.
    static func version(baseURL: String) -> APIResponse {
        .json { writer in
            writer.object { writer in
                writer.key("version")
                writeEntry(&writer, baseURL)
            }
        }
    }

    private static func writeEntry(_ writer: inout JSONWriter, _ baseURL: String) {
        writer.object { writer in
            writer.member("id", "v1.0")
            writer.member("status", "CURRENT")
            writer.member("updated", "2012-08-01T00:00:00Z")
            writer.key("links")
            writer.array { writer in
                writer.object { writer in
                    writer.member("rel", "self")
                    writer.member("href", baseURL + "/v1.0/")
                }
            }
        }
    }
}
