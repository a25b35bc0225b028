// SPDX-License-Identifier: Apache-2.0

/// Judges a library's file by the rules for linking plugins.
enum ElfChecks {
    /// - Returns: Whether the file may be mapped at all.
    static func run(_ file: ElfFile, _ ledger: inout CheckLedger) -> Bool {
        func judge(_ name: String, _ problem: String?) {
            if let problem { ledger.add(name, .failed, problem) } else { ledger.add(name, .passed) }
        }
        judge("elf.format", file.problem.map { "The library cannot be used: \($0)." })
        guard file.problem == nil else { return false }
        judge("symbols.exports", exports(file))
        let absolute = file.runPath.filter { !$0.hasPrefix("$ORIGIN") && !$0.hasPrefix("${ORIGIN}") }
        judge(
            "elf.runpath",
            absolute.isEmpty
                ? nil
                : "The run path has \(absolute.joined(separator: ", ")), which is another machine's; use $ORIGIN or none."
        )
        judge(
            "elf.bind-now",
            file.bindsNow ? nil : "Symbols are bound late; link with -Wl,-z,now, so that what is missing shows at load."
        )
        judge(
            "elf.relro",
            file.hasReadOnlyRelocations ? nil : "Relocated tables stay writable; link with -Wl,-z,relro.")
        judge(
            "elf.stack",
            file.hasExecutableStack ? "The library asks for an executable stack; link with -Wl,-z,noexecstack." : nil)
        judge(
            "elf.text-relocations",
            file.hasTextRelocations ? "Code is changed at load; compile everything with -fPIC." : nil)
        return true
    }

    private static func exports(_ file: ElfFile) -> String? {
        let exported = Set(file.symbols.filter(\.isDefined).map(\.name))
        guard exported.contains("trove_plugin_entry") else {
            return "The library does not export trove_plugin_entry; mark it TROVE_EXPORT."
        }
        let more = exported.subtracting(["trove_plugin_entry"]).sorted()
        guard let first = more.first else { return nil }
        return
            "Besides trove_plugin_entry the library exports \(first)\(more.count > 1 ? " and \(more.count - 1) more" : ""); "
            + "link with the SDK's exports.map and -fvisibility=hidden."
    }
}
