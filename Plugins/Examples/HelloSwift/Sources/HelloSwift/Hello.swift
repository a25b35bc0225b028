// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// A route and two packed actions.
enum Hello: Plugin {
    static let id = "org.example.hello-swift"
    static let version = "1.0.0"

    static var extensions: [PluginExtension] {
        [
            .actions {
                Action(
                    "greet", "Says hello a number of times", Arg("who", .string, "name to greet"),
                    Arg("times", .int64, "count"), isReadOnly: true
                ) { (call, who: String, times: Int64) in
                    try call.emit(["hello": .string(who), "times": .int(times)])
                }
                Action(
                    "sign_greeting", "Says hello with a check value that only who knows the key can make",
                    Arg("who", .string, "name to greet"), Arg("key", .string, "shared key", isSecret: true),
                    Arg("note", .string, "added to the greeting", isOptional: true), isReadOnly: true
                ) { (call, who: String, key: String, note: String?) in
                    let said = greeting(who, note: note)
                    try call.emit(["greeting": .string(said), "check": .string(checkValue(key + said))])
                }
            },
            .api([showGreeting]),
        ]
    }

    private static var showGreeting: Route {
        Route(
            "GET", "/x/\(id)/greetings/{name}", policy: "hello:greeting:show", summary: "Says hello",
            responseSchema: [
                "type": "object", "properties": ["greeting": ["type": "string"]], "required": ["greeting"],
            ]
        ) { request, _ in
            APIResponse(200, ["greeting": .string(greeting(request.parameters["name"] ?? "", note: nil))])
        }
    }

    private static func greeting(_ who: String, note: String?) -> String {
        "Hello, \(who)!" + (note.map { " \($0)" } ?? "")
    }

    private static func checkValue(_ text: String) -> String {
        let value = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(Hello.self, major, minor)
}
