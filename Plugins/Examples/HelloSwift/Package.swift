// swift-tools-version: 6.2
// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

import PackageDescription

/// The Makefile sets it; for an editor say `export TROVE_SDK=$(trove plugin sdk)`.
let sdk = Context.environment["TROVE_SDK"] ?? "/usr/local/share/trove/sdk"

let package = Package(
    name: "hello-swift",
    products: [.library(name: "hello-swift", type: .dynamic, targets: ["HelloSwift"])],
    dependencies: [.package(name: "trove-sdk", path: sdk)],
    targets: [
        .target(
            name: "HelloSwift",
            dependencies: [.product(name: "TrovePluginKit", package: "trove-sdk")]
        )
    ]
)
