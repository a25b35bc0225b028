// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a library needs of others, before it is mapped itself.
struct LinkGroup {
    let order: ChildOrder

    var scenarios: [Scenario] {
        [Scenario(check: "elf.needed", target: "the libraries it needs") { try self.check() }]
    }

    private func check() throws {
        guard let bytes = FileTree.read(order.libraryPath, limit: 1 << 30) else { throw Unusable() }
        let file = ElfFile(bytes)
        var handles: [UnsafeMutableRawPointer] = []
        for name in file.needed {
            if let handle = open(name, file.runPath) {
                handles.append(handle)
            } else {
                ChildReporter.shared.fail(
                    "elf.needed",
                    "The library needs \(name), which cannot be found; install it, ship it beside with the run path $ORIGIN, "
                        + "or link it statically.")
            }
        }
        guard handles.count == file.needed.count else { return }
        let missing = file.symbols.filter { symbol in
            !symbol.isDefined && !symbol.isWeak && !handles.contains { dlsym($0, symbol.name) != nil }
        }
        guard let first = missing.first else { return ChildReporter.shared.pass("symbols.undefined") }
        let more = missing.count > 1 ? " and \(missing.count - 1) more" : ""
        ChildReporter.shared.fail(
            "symbols.undefined",
            "No library that this one needs has \(first.name)\(more); link with -Wl,-z,defs, and reach the host through its "
                + "tables only.")
    }

    private func open(_ name: String, _ runPath: [String]) -> UnsafeMutableRawPointer? {
        for directory in runPath {
            let place = directory.replacing("${ORIGIN}", with: order.directory).replacing(
                "$ORIGIN", with: order.directory)
            if let handle = dlopen(place + "/" + name, RTLD_LAZY | RTLD_LOCAL) { return handle }
        }
        return dlopen(name, RTLD_LAZY | RTLD_LOCAL)
    }
}
