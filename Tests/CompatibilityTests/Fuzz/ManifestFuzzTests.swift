// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Manifests at random")
struct ManifestFuzzTests {
    private static let good: JSONValue = [
        "manifest": 1, "id": "org.example.store", "version": "1.4.0-rc.1+b2", "summary": "A store",
        "library": [
            "file": "store.so", "sha256": .string(String(repeating: "a", count: 64)), "abi": "1.0",
            "platform": "linux-x86_64-gnu",
        ],
        "roles": ["guest", "control"], "provides": ["trove.datastore/1", "trove.actions/1"],
        "requires": ["trove.log/1"], "swift": "6.3", "licence": "Apache-2.0",
        "datastores": [["name": "store", "versions": ["1", "2"]], ["name": "other"]],
        "routes": ["instances": ["users", "root-history"], "clusters": ["nodes"], "x": ["jobs"]],
        "actions": [
            [
                "name": "flush", "summary": "Flushes", "policy": "instance:flush", "role": "guest", "read_only": false,
                "args": [
                    ["name": "what", "type": "str", "enum": ["all", "some"], "max_bytes": 10],
                    ["name": "count", "type": "i32", "minimum": 1, "maximum": 10, "default": 3],
                    ["name": "part", "type": "f64", "minimum": 0, "maximum": 1.5],
                    ["name": "key", "type": "bytes", "secret": true, "optional": true],
                ],
                "samples": [["what": "all", "part": 0.5], ["what": "some", "part": 1, "count": 10]],
            ],
            ["name": "show", "policy": "instance:show", "role": "control", "args": []],
        ],
    ]

    /// Members that a message may begin with.
    private static let members = [
        "manifest", "id", "version", "summary", "library", "roles", "provides", "requires", "swift", "licence",
        "datastores",
        "routes", "actions",
    ]

    private static let path = "/plugins/org.example.store/plugin.json"

    /// - Returns: Why it was refused; nil when it was read.
    private func refusal(_ bytes: [UInt8]) -> PluginRefusal? {
        do throws(PluginRefusal) {
            let manifest = try ManifestReader(path: Self.path).read(bytes)
            // What was read keeps to what the reader promises.
            #expect(ManifestReader.isIdentifier(manifest.id) && ManifestReader.isVersion(manifest.version))
            #expect(ManifestReader.isPathComponent(manifest.library.file) && !manifest.roles.isEmpty)
            for action in manifest.actions {
                #expect(action.arguments.count <= 8 && manifest.roles.contains(action.role))
                for sample in action.samples { #expect(throws: Never.self) { try action.values(sample) } }
            }
            return nil
        } catch {
            return error
        }
    }

    private func check(_ refusal: PluginRefusal, _ seed: UInt64, hasField: Bool) {
        #expect(refusal.cause == .manifest && refusal.path == Self.path, "seed \(seed)")
        #expect(!refusal.message.isEmpty && refusal.message.unicodeScalars.count <= 513, "seed \(seed): \(refusal)")
        #expect(
            !refusal.message.unicodeScalars.contains { $0.properties.generalCategory == .control },
            "seed \(seed): \(refusal.message.debugDescription)")
        guard hasField else { return }
        let field = refusal.message.prefix { $0 != ":" && $0 != "." && $0 != "[" }
        #expect(
            Self.members.contains(String(field)) && refusal.message.contains(": "), "seed \(seed): \(refusal.message)")
    }

    @Test("a manifest with wrong values is read, or refused naming file and field: 1,500 documents")
    func values() throws {
        #expect(refusal(Self.good.serialized) == nil)
        var refused = 0
        for seed in UInt64(1)...1500 {
            var mutator = Mutator(seed: seed)
            let document = mutator.mutate(Self.good)
            guard let refusal = refusal(document.serialized) else { continue }
            refused += 1
            // Before the members come into it: nested too deep, or no object at all.
            let isWhole = document.objectValue != nil && !refusal.message.contains("nest")
            check(refusal, seed, hasField: isWhole)
        }
        #expect((500...1500).contains(refused), "\(refused) of 1,500 were refused")
    }

    @Test("a manifest whose bytes are damaged is read, or refused naming the file: 500 texts")
    func bytes() throws {
        var refused = 0
        for seed in UInt64(1)...500 {
            var mutator = Mutator(seed: seed)
            let bytes = mutator.mutate(Self.good.serialized)
            guard let refusal = refusal(bytes) else { continue }
            refused += 1
            let parsed = try? JSONValue(parsing: bytes, maximumDepth: 16)
            check(refusal, seed, hasField: parsed?.objectValue != nil)
            if parsed == nil { #expect(refusal.message.contains("at byte"), "seed \(seed): \(refusal.message)") }
        }
        #expect(refused > 250, "\(refused) of 500 were refused")
    }
}
