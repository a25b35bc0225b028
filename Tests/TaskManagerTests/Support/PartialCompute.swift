// SPDX-License-Identifier: Apache-2.0

import Compute
import Model

/// A stand-in for compute that does what its type says, and refuses everything else.
protocol PartialCompute: ComputeDriver {}

extension PartialCompute {
    private var refusal: ComputeError { ComputeError(.unsupported, "no compute in this test") }

    func resources(for instanceID: String, effect: ComputeEffect) -> [ComputeResource] { [] }
    func allocate(_ instanceID: String, ports: [Int]) async throws(ComputeError) -> Placement { throw refusal }
    func createVolume(_ request: VolumeRequest) async throws(ComputeError) -> VolumePlacement { throw refusal }
    func boot(_ request: BootRequest) async throws(ComputeError) -> String { throw refusal }
    func replaceAgent(_ request: BootRequest) async throws(ComputeError) { throw refusal }
    func rebootServer(_ instanceID: String) async throws(ComputeError) { throw refusal }
    func deleteServer(_ instanceID: String) async throws(ComputeError) { throw refusal }
    func deleteVolume(_ instanceID: String) async throws(ComputeError) { throw refusal }
    func release(_ instanceID: String) async throws(ComputeError) { throw refusal }
    func serverStatus(_ instanceID: String) async -> ServerStatus { .active }
    func ensureTemplate(_ request: TemplateRequest) async throws(ComputeError) { throw refusal }
    func ensureServer(_ instanceID: String) async throws(ComputeError) { throw refusal }
    func watch(_ instanceIDs: [String], handler: @Sendable @escaping (String) async -> Void) async {}
    func inventory() async throws(ComputeError) -> [ComputeResource] { [] }
}
