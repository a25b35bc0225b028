// SPDX-License-Identifier: Apache-2.0

package import Model

/// What `get_filesystem_stats` answers.
///
/// Shape: `{"block_size", "total_blocks", "free_blocks", "avail_blocks": ints, "total", "used": GB (2^30 bytes) floats with
/// two digits, "free": bytes, "mgr_extra_info": {}}`, derived from the numbers of statvfs(3).
package struct FilesystemStats: Sendable, Hashable {
    /// Fragment size in bytes, the unit of the counts.
    package var blockSize: Int
    package var totalBlocks: Int
    package var freeBlocks: Int
    /// Blocks that an unprivileged process may still take.
    package var availableBlocks: Int

    package init(blockSize: Int, totalBlocks: Int, freeBlocks: Int, availableBlocks: Int) {
        self.blockSize = blockSize
        self.totalBlocks = totalBlocks
        self.freeBlocks = freeBlocks
        self.availableBlocks = availableBlocks
    }

    package var totalBytes: Int { totalBlocks * blockSize }
    package var usedBytes: Int { (totalBlocks - freeBlocks) * blockSize }
    package var freeBytes: Int { freeBlocks * blockSize }

    package var json: JSONValue {
        [
            "block_size": .int(Int64(blockSize)), "total_blocks": .int(Int64(totalBlocks)),
            "free_blocks": .int(Int64(freeBlocks)), "avail_blocks": .int(Int64(availableBlocks)),
            "total": .double(Self.gigabytes(totalBytes)), "used": .double(Self.gigabytes(usedBytes)),
            "free": .int(Int64(freeBytes)), "mgr_extra_info": [:],
        ]
    }

    /// Reads the document; `nil` when a count is missing, negative or larger than any volume.
    package init?(json: JSONValue) {
        guard let blockSize = Self.count(json["block_size"]), let total = Self.count(json["total_blocks"]),
            let free = Self.count(json["free_blocks"]), let available = Self.count(json["avail_blocks"]),
            free <= total, !total.multipliedReportingOverflow(by: blockSize).overflow
        else { return nil }
        self.init(blockSize: blockSize, totalBlocks: total, freeBlocks: free, availableBlocks: available)
    }

    private static func count(_ value: JSONValue?) -> Int? {
        guard let count = value?.intValue, count >= 0 else { return nil }
        return count
    }

    private static func gigabytes(_ bytes: Int) -> Double {
        (Double(bytes) / 1_073_741_824 * 100).rounded() / 100
    }
}
