// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The helpers for C and Rust read and write JSON alike; programs of a few lines say so.
@Suite("The helpers for C and Rust")
struct KitTests {
    /// Text as it stands in JSON, and the bytes that it says.
    private static let texts: [(json: String, bytes: String)] = [
        (#""""#, ""), (#""plain""#, "706c61696e"), (#""\" \\ \/ \b\f\n\r\t""#, "22205c202f20080c0a0d09"),
        (#""\u00e9\u20ac\ud83d\ude00""#, "c3a9e282acf09f9880"), (#""a\u0000b""#, "610062"), (#""é""#, "c3a9"),
    ]
    /// Strings that say nothing valid.
    private static let wrong = [#""\ud800""#, #""\udc00x""#, #""\u12g4""#, #""\q""#, "7", "null"]

    private static let cProgram = #"""
        #include "trove_plugin_kit.h"
        int main(int count, char **words) {
          for (int index = 1; index < count; index++) {
            kit_text object = {NULL, 0, 0, 0}, text = {NULL, 0, 0, 0}, again = {NULL, 0, 0, 0}, round = {NULL, 0, 0, 0};
            kit_add(&object, " { \"a\" : [ 1 , {\"b\":\"}\"} ] ,\"x\": ");
            kit_add(&object, words[index]);
            kit_add(&object, ",\"n\":-12 } ");
            trove_str whole = {object.ptr, object.len};
            int64_t number = 0;
            if (!kit_json_int(kit_member(whole, "n"), &number) || number != -12) return 1;
            if (kit_member(whole, "b").ptr != NULL || kit_member(whole, "absent").ptr != NULL) return 2;
            if (kit_json_text(kit_member(whole, "x"), &text)) {
              for (size_t at = 0; at < text.len; at++) printf("%02x", (unsigned char)text.ptr[at]);
              trove_str said = {text.ptr, text.len};
              kit_quote(&again, said);
              trove_str quoted = {again.ptr, again.len};
              if (!kit_json_text(quoted, &round) || round.len != text.len || memcmp(round.ptr, text.ptr, text.len) != 0)
                return 3;
              printf("\n");
            } else {
              printf("none\n");
            }
            kit_free(&object), kit_free(&text), kit_free(&again), kit_free(&round);
          }
          return 0;
        }

        """#

    private static let rustProgram = #"""
        #[allow(dead_code)]
        mod trove {
            include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
        }
        use trove::*;
        fn main() {
            for word in std::env::args().skip(1) {
                let whole = format!(" {{ \"a\" : [ 1 , {{\"b\":\"}}\"}} ] ,\"x\": {word},\"n\":-12 }} ");
                let parsed = Json::parse(&whole);
                match parsed.as_ref().map(|object| object.text("x").map(str::to_string)) {
                    Ok(Ok(text)) => {
                        assert_eq!(parsed.as_ref().unwrap().int("n").unwrap(), -12);
                        assert_eq!(Json::parse(&Json::from(text.as_str()).to_string()), Ok(Json::Text(text.clone())));
                        println!("{}", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
                    }
                    _ => println!("none"),
                }
            }
            for bad in ["", "{", "[1,]", "{\"a\":1,\"a\":2}", "1 2", "nul", "\"\u{1}\"", "{\"a\" 1}", "1e999", "+1"] {
                assert!(Json::parse(bad).is_err(), "{bad}");
            }
        }

        """#

    private static var words: [String] { texts.map(\.json) + wrong }
    private static var expected: String {
        (texts.map(\.bytes) + wrong.map { _ in "none" }).map { $0 + "\n" }.joined()
    }

    @Test("JSON in C, under the address sanitizer")
    func c() async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.cProgram.write(toFile: folder + "/kit.c", atomically: false, encoding: .utf8)
        try await Program.must([
            "gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-fsanitize=address,undefined",
            "-I", Build.root + "/Sources/CTrovePlugin/include", "-I", Build.root + "/Plugins/SDK/c", "-o",
            folder + "/kit", folder + "/kit.c",
        ])
        let said = try await Program.must(
            [folder + "/kit"] + Self.words, environment: ["ASAN_OPTIONS": "detect_leaks=0"])
        #expect(said == Self.expected)
    }

    @Test("JSON in Rust")
    func rust() async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.rustProgram.write(toFile: folder + "/kit.rs", atomically: false, encoding: .utf8)
        try await Program.must(
            ["rustc", "--edition", "2021", "-D", "warnings", "-o", folder + "/kit", folder + "/kit.rs"],
            environment: ["TROVE_SDK": Build.sdk])
        #expect(try await Program.must([folder + "/kit"] + Self.words) == Self.expected)
    }
}
