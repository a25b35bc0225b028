// SPDX-License-Identifier: Apache-2.0

import Conformance
import Foundation
import TestSupport
import Testing

@Suite("Broken plugins")
struct MutantTests {
    private func findings(_ report: ConformanceReport) -> String {
        report.findings.map { "\($0.name): \($0.message)" }.joined(separator: "\n")
    }

    private func judge(_ report: ConformanceReport, _ check: String, following: Set<String> = []) {
        let names = Set(report.findings.map(\.name))
        #expect(names.contains(check), "not found; found:\n\(findings(report))")
        #expect(names.subtracting(following).subtracting([check]).isEmpty, "more was found:\n\(findings(report))")
        #expect(!report.passed)
    }

    @Test("the example itself has no fault")
    func example() async throws {
        let report = try await ExamplePlugin.report(repeats: 300)
        #expect(report.passed, "\(findings(report))")
        #expect(report.checks.count > 60)
        #expect(report.capabilities["datastore.create_users"] == true)
        #expect(report.capabilities["datastore.grant_access"] == false)
    }

    @Test("a fault of the code is found by its name", arguments: Mutant.all)
    func code(_ mutant: Mutant) async throws {
        let report = try await ExamplePlugin.report(repeats: mutant.repeats, flags: ["-DMUTANT_\(mutant.name)"])
        judge(report, mutant.check, following: mutant.following)
    }

    @Test(
        "a fault of linking is found by its name",
        arguments: [
            ("elf.bind-now", ["-Wl,-z,lazy", "-Wl,-z,relro"]), ("elf.relro", ["-Wl,-z,now", "-Wl,-z,norelro"]),
            ("elf.stack", ["-Wl,-z,now", "-Wl,-z,execstack"]), ("elf.runpath", ["-Wl,-z,now", "-Wl,-rpath,/opt/lib"]),
        ])
    func linking(_ check: String, _ options: [String]) async throws {
        judge(try await ExamplePlugin.report(linking: options), check)
    }

    @Test("what no library has is found, also when something of the host's would have it")
    func undefined() async throws {
        let report = try await ExamplePlugin.report(
            flags: ["-DMUTANT_undefined"], linking: ["-Wl,-z,now", "-Wl,-z,relro"])
        judge(report, "symbols.undefined", following: ["load.map"])
    }

    @Test("a library that is not there is named")
    func needed() async throws {
        let report = try await ExamplePlugin.report(change: { plugin in
            let helper = plugin.directory.appendingPathComponent("libnowhere.so").path
            try ExamplePlugin.compile(["-shared", "-x", "c", "/dev/null", "-o", helper])
            _ = try ExamplePlugin(
                in: plugin.directory.deletingLastPathComponent(), name: "example",
                linking: ExamplePlugin.linking + ["-Wl,--no-as-needed", helper])
            try FileManager.default.removeItem(atPath: helper)
        })
        judge(report, "elf.needed", following: ["load.map"])
    }

    @Test("a file that cannot be mapped is not mapped", arguments: ["truncated", "class", "text"])
    func format(_ kind: String) async throws {
        let report = try await ExamplePlugin.report(change: { plugin in
            var bytes = try Data(contentsOf: plugin.library)
            switch kind {
            case "truncated": bytes = bytes.prefix(bytes.count / 2)
            case "class": bytes[4] = 1
            default: bytes = Data("not a library".utf8)
            }
            try bytes.write(to: plugin.library)
            try plugin.writeManifest()
        })
        judge(report, "elf.format")
    }

    @Test(
        "a fault of the manifest is found by its name",
        arguments: [
            "manifest.digest", "manifest.platform", "manifest.swift", "manifest.roles", "manifest.provides",
            "manifest.schema", "actions.signature", "actions.sample", "routes.words", "manifest.abi",
            "manifest.requires",
        ])
    func manifest(_ check: String) async throws {
        let following: Set<String> = check == "manifest.schema" ? ["actions.signature"] : []
        let report = try await ExamplePlugin.report(manifest: { Self.spoil(&$0, check) })
        judge(report, check, following: following)
    }

    private static func spoil(_ manifest: inout [String: Any], _ check: String) {
        func change(_ key: String, _ value: Any) {
            var library = manifest["library"] as? [String: Any] ?? [:]
            library[key] = value
            manifest["library"] = library
        }
        var actions = manifest["actions"] as? [[String: Any]] ?? []
        switch check {
        case "manifest.digest": change("sha256", String(repeating: "0", count: 64))
        case "manifest.platform": change("platform", "linux-s390x-gnu")
        case "manifest.abi": change("abi", "2.0")
        case "manifest.swift": manifest["swift"] = "5.9"
        case "manifest.roles": manifest["roles"] = ["control"]
        case "manifest.provides": manifest["provides"] = (manifest["provides"] as? [String] ?? []).dropLast().map { $0 }
        case "manifest.schema": manifest["licence"] = nil
        case "manifest.requires": manifest["requires"] = ["trove.log/1", "trove.teleport/1"]
        case "actions.signature":
            actions[0]["args"] = [["name": "who", "type": "str"], ["name": "times", "type": "i32"]]
        case "actions.sample": actions[0]["samples"] = [Any]()
        case "routes.words": manifest["routes"] = ["instances": ["other"]]
        default: break
        }
        manifest["actions"] = actions
    }

    @Test("files that others can write to are found", arguments: [0o666, 0o4755])
    func modes(_ mode: Int) async throws {
        let report = try await ExamplePlugin.report(change: { plugin in
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: plugin.library.path)
        })
        judge(report, "files.modes")
    }

    @Test("what is no plugin at all is an error, not a finding")
    func nothing() throws {
        #expect(throws: ConformanceError.self) { try ExamplePlugin.check(URL(fileURLWithPath: "/nonexistent")) }
        #expect(throws: ConformanceError.self) { try ExamplePlugin.check(URL(fileURLWithPath: "/tmp")) }
    }
}
