// swift-tools-version: 6.2
// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

import PackageDescription

/// The Makefile sets it; for an editor say `export TROVE_SDK=$(trove plugin sdk)`.
let sdk = Context.environment["TROVE_SDK"] ?? "/usr/local/share/trove/sdk"

let package = Package(
    name: "__NAME__",
    products: [.library(name: "__NAME__", type: .dynamic, targets: ["__TYPE__Plugin"])],
    dependencies: [.package(name: "trove-sdk", path: sdk)],
    targets: [
        .target(name: "__TYPE__Plugin", dependencies: [.product(name: "TrovePluginKit", package: "trove-sdk")])
    ]
)
