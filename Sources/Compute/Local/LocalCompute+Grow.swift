// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

extension LocalCompute {
    /// Promise first, record last: whoever goes on after a crash finds the smaller record and grows again, and each part of
    /// the growth leaves alone what is large enough.
    package func growVolume(_ instanceID: String, sizeGiB: Int) async throws(ComputeError) {
        try check(instanceID)
        try await run(on: Self.volumeKey(instanceID)) { () throws(ComputeError) in
            _ = try self.placement(instanceID)
            guard var record = VolumeRecord(HostFiles.readJSON(self.paths.volumeRecord(instanceID))), record.isReady
            else {
                throw ComputeError(.missing, "instance \(instanceID) has no volume that is ready; nothing can grow")
            }
            guard sizeGiB > record.sizeGiB else {
                guard sizeGiB == record.sizeGiB else {
                    throw ComputeError(
                        .unsupported,
                        "the volume of instance \(instanceID) has \(record.sizeGiB) GiB and cannot shrink to \(sizeGiB)"
                    )
                }
                return
            }
            let before = record.sizeGiB
            record.sizeGiB = sizeGiB
            do throws(ComputeError) {
                try self.promised.reserve(instanceID, gibibytes: sizeGiB)
                if self.volumes.hasImages { try self.growImage(instanceID, record.bytes) }
                try HostFiles.writeJSON(self.paths.volumeRecord(instanceID), record.json)
            } catch {
                // It was promised that much already.
                try? self.promised.reserve(instanceID, gibibytes: before)
                throw error
            }
        }
    }

    private func growImage(_ id: String, _ bytes: UInt64) throws(ComputeError) {
        let image = paths.image(id)
        guard let size = HostFiles.size(image) else {
            throw ComputeError(.missing, "the image \(image) of instance \(id) is not there")
        }
        if size < bytes, truncate(image, off_t(bytes)) != 0 { throw HostFiles.failure("extend", image, errno) }
        try attachVolume(id)
        try volumes.grow(paths.mount(id), to: bytes)
    }
}
