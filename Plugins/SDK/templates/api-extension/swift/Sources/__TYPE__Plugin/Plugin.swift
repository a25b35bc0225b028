// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// The routes below /v1.0/{project}.
enum Main: Plugin {
    static let id = "__ID__"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] { [.api([showGreeting])] }

    static var showGreeting: Route {
        Route(
            "GET", "/x/\(id)/greetings/{name}", policy: "__NAME__:greeting:show", summary: "Says hello"
        ) { request, _ in
            APIResponse(200, ["greeting": .string("Hello, \(request.parameters["name"] ?? "")!")])
        }
    }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(Main.self, major, minor)
}
