// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

// What a plugin in Swift depends on, by path: the boundary's headers and the helpers over them.

import PackageDescription

let package = Package(
    name: "trove-sdk",
    products: [.library(name: "TrovePluginKit", targets: ["TrovePluginKit"])],
    targets: [
        .systemLibrary(name: "CTrovePlugin", path: "include"),
        .target(
            name: "TrovePluginKit",
            dependencies: ["CTrovePlugin"],
            path: "TrovePluginKit",
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]
        ),
    ]
)
