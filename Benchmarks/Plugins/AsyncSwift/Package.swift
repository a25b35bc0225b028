// swift-tools-version: 6.2
// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

import PackageDescription

/// The Makefile sets it; for an editor say `export TROVE_SDK=$(trove plugin sdk)`.
let sdk = Context.environment["TROVE_SDK"] ?? "/usr/local/share/trove/sdk"

let package = Package(
    name: "asyncswift",
    products: [.library(name: "asyncswift", type: .dynamic, targets: ["AsyncSwift"])],
    dependencies: [.package(name: "trove-sdk", path: sdk)],
    targets: [
        .target(
            name: "AsyncSwift",
            dependencies: [.product(name: "TrovePluginKit", package: "trove-sdk")]
        )
    ]
)
