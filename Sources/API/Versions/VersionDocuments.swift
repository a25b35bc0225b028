// SPDX-License-Identifier: Apache-2.0

import Model

/// Documents outside the pipeline: versions and health. Source: REST contract §2.
enum VersionDocuments {
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

    /// `OK`, as text.
    static let health: APIResponse = {
        var response = APIResponse(status: 200, body: Array("OK".utf8))
        response.contentType = "text/plain"
        return response
    }()

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
