// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// One set of compiler settings for every target of this package.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// What vendors build against has no unsafe flags, or their packages could not depend on it. Rooms see into each other: a
/// view writes into a lower room's writer a thousand times an answer.
let roomSettings = settings + [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]

let cSettings: [CSetting] = [
    .unsafeFlags(["-std=gnu11", "-Wall", "-Wextra", "-Werror"])
]

/// A plugin exports `trove_plugin_entry` alone, resolves everything at load and records no toolchain path.
let pluginLinker: [LinkerSetting] = [
    .unsafeFlags([
        "-use-ld=lld", "-no-toolchain-stdlib-rpath",
        "-Xlinker", "--version-script=Plugins/exports.map",
        "-Xlinker", "-Bsymbolic",
        "-Xlinker", "-z", "-Xlinker", "defs",
        "-Xlinker", "-z", "-Xlinker", "now",
    ])
]

/// Installed programs find the Swift runtime that was installed with them; programs in the build folder use the toolchain's.
let programLinker: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib/trove/swift"])
]

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: roomSettings)
}

func plugin(_ name: String, path: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: ["CTrovePlugin", "TrovePluginKit"] + dependencies,
        path: path,
        exclude: ["plugin.json"],
        swiftSettings: settings,
        linkerSettings: pluginLinker
    )
}

/// `TROVE_TESTS=ModelTests,…` leaves out every other test target, so that one room's tests build alone.
let selectedTests = Context.environment["TROVE_TESTS"]?.split(separator: ",").map(String.init)

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> [Target] {
    if let selectedTests, !selectedTests.contains(name) { return [] }
    return [.testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: settings)]
}

/// Their copies of released headers are read, and never compiled into anything here.
let compatibilityTests: [Target] = tests(
    "CompatibilityTests", ["PluginHost", "CLinux", "Model", "plugin-host-check", log]
).map { target in
    target.exclude = ["Frozen"]
    return target
}

/// Their example plugin is compiled by the tests themselves.
let conformanceTests: [Target] = tests("ConformanceTests", ["Conformance", "Model", "conformance-check"]).map {
    target in
    target.exclude = ["Example"]
    return target
}

let package = Package(
    name: "trove",
    products: [
        .executable(name: "trove", targets: ["trove"]),
        .executable(name: "trove-guest", targets: ["trove-guest"]),
        .library(name: "TrovePluginKit", targets: ["TrovePluginKit"]),
        .library(name: "TroveMariaDB", type: .dynamic, targets: ["MariaDBPlugin"]),
        .library(name: "TroveMariaBackup", type: .dynamic, targets: ["MariaBackupPlugin"]),
        .library(name: "TrovePostgreSQL", type: .dynamic, targets: ["PostgreSQLPlugin"]),
        .library(name: "TrovePgBaseBackup", type: .dynamic, targets: ["PgBaseBackupPlugin"]),
        .library(name: "TroveRedis", type: .dynamic, targets: ["RedisPlugin"]),
        .library(name: "TroveRedisRDB", type: .dynamic, targets: ["RedisRDBPlugin"]),
        .library(name: "TroveSQLAdmin", type: .dynamic, targets: ["SQLAdminPlugin"]),
        .library(name: "TroveBothRoles", type: .dynamic, targets: ["BothRolesPlugin"]),  // For the end-to-end tests.
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The boundary that vendors see.
        .target(name: "CTrovePlugin", exclude: ["schemas"]),
        .target(name: "TrovePluginKit", dependencies: ["CTrovePlugin"], swiftSettings: settings),

        // One C library each.
        .target(name: "CLinux", cSettings: cSettings),
        // Without pkg-config: its flags have a macro that SwiftPM refuses.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CFFI", pkgConfig: "libffi", providers: [.apt(["libffi-dev"])]),
        .systemLibrary(name: "CMariaDB", pkgConfig: "libmariadb", providers: [.apt(["libmariadb-dev"])]),
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CCurl"),  // Its headers alone: HTTPClient maps the library on first use.
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // Rooms, lower layers first.
        room("Model"),
        room("HTTPClient", ["CCurl"]),
        room("Client", ["Model", "HTTPClient", "CLinux"]),
        room("Telemetry", [.product(name: "CoreMetrics", package: "swift-metrics")]),
        room(
            "StateStore",
            [
                "Model", "CMariaDB", "CLinux", log, .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]
        ),
        room(
            "Messaging",
            ["Model", "CLinux", "CRabbitMQ", "COpenSSL", log, .product(name: "CoreMetrics", package: "swift-metrics")]),
        room("BrokerAccounts", ["Model", "HTTPClient", "COpenSSL", log]),
        room("Policy", ["Model"]),
        room("Identity", ["Model", "StateStore", "HTTPClient", "COpenSSL", log]),
        room("Compute", ["Model", "CLinux", log]),
        room("ObjectStore", ["Model", "CZstd", "COpenSSL", log]),
        room("PluginHost", ["Model", "HTTPClient", "CFFI", "CTrovePlugin", "CLinux", "COpenSSL", log, metrics]),
        room("PluginObjects", ["PluginHost", "ObjectStore"]),
        room("KeyManager", ["Model", "StateStore", "ObjectStore", "HTTPClient", "COpenSSL"]),
        room("Notifications", ["Model", "StateStore", "Messaging", log, metrics]),
        room("Calls", ["Model", "Messaging"]),
        room(
            "API",
            [
                "Model", "StateStore", "Identity", "KeyManager", "Policy", "Notifications", "PluginHost", "Calls", log,
                metrics,
                lifecycle,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        room(
            "TaskManager",
            [
                "Model", "StateStore", "Compute", "ObjectStore", "PluginHost", "Calls", "Messaging", "Notifications",
                "BrokerAccounts", log, metrics, lifecycle,
            ]
        ),
        room("Conductor", ["Model", "StateStore", "Calls", "Messaging", "Notifications", log, metrics, lifecycle]),
        room(
            "GuestAgent",
            [
                "Model", "Messaging", "Calls", "ObjectStore", "PluginHost", "PluginObjects", "HTTPClient", "CLinux",
                "COpenSSL", log,
            ]),
        room("Conformance", ["Model", "PluginHost", "GuestAgent", "CTrovePlugin", "CLinux", "COpenSSL", log]),

        // Executables.
        .executableTarget(
            name: "trove",
            dependencies: [
                "API", "TaskManager", "Conductor", "StateStore", "Messaging", "Identity", "Policy", "Notifications",
                "BrokerAccounts", "Compute", "ObjectStore", "KeyManager", "PluginHost", "PluginObjects", "Telemetry",
                "HTTPClient", "Conformance", "Calls", "Client", "Model", "CLinux",
                log, metrics, lifecycle, arguments,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings,
            linkerSettings: programLinker
        ),
        .executableTarget(
            name: "trove-guest",
            dependencies: [
                "GuestAgent", "PluginHost", "Messaging", "ObjectStore", "Calls", "Model", "CLinux", log,
            ],
            swiftSettings: settings,
            linkerSettings: programLinker
        ),

        // What `make bench` and `make tsan` measure the boundary with.
        .target(
            name: "CPluginCalls", dependencies: ["CTrovePlugin"], path: "Benchmarks/PluginCalls/CPluginCalls",
            cSettings: cSettings + [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "plugin-bench", dependencies: ["PluginHost", "CPluginCalls", "Model", log, arguments],
            path: "Benchmarks/PluginCalls/Sources", swiftSettings: settings),
        // What `make bench` measures RPC over a broker with, and the floor of that.
        .executableTarget(
            name: "rpc-bench", dependencies: ["Messaging", "Model", log], path: "Benchmarks/RPC/Sources",
            swiftSettings: settings),
        .executableTarget(
            name: "rpc-echo", dependencies: ["CRabbitMQ"], path: "Benchmarks/RPC/Echo",
            cSettings: cSettings + [.unsafeFlags(["-O2"])]),

        // Engine knowledge.
        plugin("MariaDBPlugin", path: "Plugins/Datastores/MariaDB", ["CMariaDB"]),
        plugin("MariaBackupPlugin", path: "Plugins/Backups/MariaBackup"),
        plugin("PostgreSQLPlugin", path: "Plugins/Datastores/PostgreSQL", ["CPostgreSQL"]),
        plugin("PgBaseBackupPlugin", path: "Plugins/Backups/PgBaseBackup", ["CPostgreSQL"]),
        .target(
            name: "RedisClient", dependencies: ["TrovePluginKit", "CHiredis", "COpenSSL"],
            path: "Plugins/Clients/Redis",
            swiftSettings: settings),
        plugin("RedisPlugin", path: "Plugins/Datastores/Redis", ["RedisClient"]),
        plugin("RedisRDBPlugin", path: "Plugins/Backups/RedisRDB", ["RedisClient", "CHiredis"]),
        plugin("SQLAdminPlugin", path: "Plugins/Extensions/SQLAdmin"),
        plugin("BothRolesPlugin", path: "Tests/BothRolesPlugin"),

        .target(name: "TestSupport", dependencies: ["Model"], path: "Tests/TestSupport", swiftSettings: settings),
    ]
        + tests("ModelTests", ["Model"])
        + tests("HTTPClientTests", ["HTTPClient"])
        + tests("ClientTests", ["Client", "HTTPClient", "Model"])
        + tests("TelemetryTests", ["Telemetry", metrics])
        + tests("StateStoreTests", ["StateStore", "Model", log])
        + tests(
            "MessagingTests",
            ["Messaging", "Calls", "Model", log, .product(name: "MetricsTestKit", package: "swift-metrics")]
        )
        + tests("BrokerAccountsTests", ["BrokerAccounts", "CRabbitMQ", "Model", log])
        + tests("PolicyTests", ["Policy", "Model"])
        + tests("NotificationsTests", ["Notifications", "StateStore", "Messaging", "Model", log])
        + tests("IdentityTests", ["Identity", "StateStore", "HTTPClient", "Model", log])
        + tests("ComputeTests", ["Compute", "CLinux", "Model", "compute-check", log])
        + tests("KeyManagerTests", ["KeyManager", "ObjectStore", "StateStore", "Model", log])
        + tests("ObjectStoreTests", ["ObjectStore", "Model", "COpenSSL", "CZstd"])
        + tests("PluginTests", ["TrovePluginKit", "CTrovePlugin"])
        + [
            // The children of the plugin host's tests: trial loads and plugin runners.
            .executableTarget(
                name: "plugin-host-check", dependencies: ["PluginHost", "PluginObjects", log],
                path: "Tests/PluginHostCheck",
                swiftSettings: settings)
        ]
        + [
            // The other processes of a home in the compute driver's tests.
            .executableTarget(
                name: "compute-check", dependencies: ["Compute", "Model", log], path: "Tests/ComputeCheck",
                swiftSettings: settings)
        ]
        + [
            // The children of the conformance kit's tests.
            .executableTarget(
                name: "conformance-check", dependencies: ["Conformance"], path: "Tests/ConformanceCheck",
                swiftSettings: settings)
        ]
        + conformanceTests
        + compatibilityTests
        + tests("PluginHostTests", ["PluginHost", "CTrovePlugin", "CLinux", "Model", "plugin-host-check", log])
        + tests(
            "GuestAgentTests",
            ["GuestAgent", "BrokerAccounts", "PluginHost", "Messaging", "Calls", "ObjectStore", "CLinux", "Model", log]
        )
        + tests(
            "APITests",
            [
                "API", "StateStore", "Identity", "KeyManager", "ObjectStore", "Policy", "Notifications", "PluginHost",
                "Calls",
                "Messaging", "Model",
            ])
        + tests(
            "TaskManagerTests",
            [
                "TaskManager", "Conductor", "StateStore", "Compute", "ObjectStore", "Calls", "Messaging",
                "Notifications", "BrokerAccounts", "Model",
            ]
        )
        + tests("ArchitectureTests", [])
        + tests("SDKTests", [])
        + tests("EndToEndTests", ["Model"])
)
