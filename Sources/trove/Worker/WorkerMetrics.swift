// SPDX-License-Identifier: Apache-2.0

import API
import CoreMetrics
import PluginHost
import Telemetry

/// What the worker measures, and who may read it.
struct WorkerMetrics: Sendable {
    private let registry = PrometheusRegistry()

    /// Takes every measurement of this process from now on; once a process.
    init() { MetricsSystem.bootstrap(registry) }

    /// The listener for scrapers; nil without an address.
    ///
    /// - Parameter spread: How many ports, from the address's on, are tried: the workers of a host share its configuration.
    /// - Throws: `StartError` when the address is wrong, or all of them are taken.
    func service(_ address: String?, spread: UInt16, plugins: PluginSwitch) throws -> MetricsService? {
        guard let address else { return nil }
        let (descriptor, bound) = try Self.listen(address, spread)
        let registry = registry
        return MetricsService(
            listener: descriptor, address: "\(bound)", contentType: Exposition.contentType,
            text: {
                let families = PluginFamilies.make(
                    await plugins.statistics, await plugins.plugins, await plugins.refusals)
                return Exposition.text(registry.families + families)
            }, logger: Log.make("metrics"))
    }

    private static func listen(_ text: String, _ spread: UInt16) throws -> (Int32, ListenAddress) {
        do {
            let address = try ListenAddress(text)
            for offset in 0..<spread where spread > 1 && address.port > 0 && address.port <= .max - offset {
                let next = ListenAddress(host: address.host, port: address.port + offset)
                if let bound = try? next.listen(backlog: 16) { return bound }
            }
            return try address.listen(backlog: 16)
        } catch let error as StartError {
            throw StartError("metrics.listen: \(error.message)")
        }
    }
}
