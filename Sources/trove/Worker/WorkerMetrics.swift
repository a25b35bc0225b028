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
    /// - Throws: `StartError` when the address is wrong or taken.
    func service(_ address: String?, plugins: PluginSwitch) throws -> MetricsService? {
        guard let address else { return nil }
        let descriptor: Int32
        let bound: ListenAddress
        do {
            (descriptor, bound) = try ListenAddress(address).listen(backlog: 16)
        } catch let error as StartError {
            throw StartError("metrics.listen: \(error.message)")
        }
        let registry = registry
        return MetricsService(
            listener: descriptor, address: "\(bound)", contentType: Exposition.contentType,
            text: {
                let families = PluginFamilies.make(
                    await plugins.statistics, await plugins.plugins, await plugins.refusals)
                return Exposition.text(registry.families + families)
            }, logger: Log.make("metrics"))
    }
}
