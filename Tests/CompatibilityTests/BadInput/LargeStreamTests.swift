// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Model
import TestSupport
import Testing

@testable import PluginHost

@Suite("A large stream", .serialized)
struct LargeStreamTests {
    /// Writes and checks 2 GiB in blocks of 1 MiB; the first word of each block is its number.
    private static let text = """
        #include "trove_backup.h"
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #define BLOCK (1 << 20)
        #define BLOCKS 2048ull
        static const trove_host_1 *host;
        static trove_status b_open(trove_call *call, trove_str config, void **self) {
          (void)call; (void)config;
          return (*self = calloc(1, BLOCK)) != NULL ? TROVE_OK : TROVE_EXHAUSTED;
        }
        static trove_status b_backup(void *self, trove_call *call, trove_str request, const trove_ostream_1 *out) {
          (void)request;
          for (uint64_t block = 0; block < BLOCKS; block++) {
            memcpy(self, &block, sizeof block);
            for (size_t at = 0; at < BLOCK;) {
              int64_t count = out->write(out, (char *)self + at, BLOCK - at);
              if (count <= 0) return TROVE_UNAVAILABLE;
              at += (size_t)count;
            }
          }
          return host->emit(call, "{\\"position\\":{}}", 15);
        }
        static trove_status b_restore(void *self, trove_call *call, trove_str request, const trove_istream_1 *in) {
          uint64_t blocks = 0;
          (void)request;
          for (;;) {
            size_t at = 0;
            while (at < BLOCK) {
              int64_t count = in->read(in, (char *)self + at, BLOCK - at);
              if (count < 0) return TROVE_CANCELLED;
              if (count == 0) break;
              at += (size_t)count;
            }
            if (at == 0) break;
            if (at != BLOCK || memcmp(self, &blocks, sizeof blocks) != 0)
              return host->fail(call, TROVE_INVALID_ARGUMENT, (trove_str){"wrong block", 11}, (trove_str){"", 0});
            blocks++;
          }
          return blocks == BLOCKS ? TROVE_OK : host->fail(call, TROVE_INVALID_ARGUMENT, (trove_str){"short", 5}, (trove_str){"", 0});
        }
        static const trove_backup_1 table = {sizeof table, TROVE_BACKUP_FULL, b_open, free, b_backup, b_restore, NULL};
        static trove_status init(const trove_host_1 *given) { host = given; return TROVE_OK; }
        static void deinit(void) {}
        static const void *extension(const char *id) { return strcmp(id, TROVE_EXT_BACKUP) == 0 ? &table : NULL; }
        static const trove_plugin_1 plugin = {
          sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, ID, "1.0.0", init, deinit, extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }

        """

    /// The most that this process had resident, bytes. Source: proc(5), "VmHWM" of status.
    private static func mostResidentBytes() throws -> Int {
        let line = ProcessFile.lines("status").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        return try #require(kibibytes) << 10
    }

    @Test("2 GiB go from one plugin call to another through a pipe, and memory stays flat", .timeLimit(.minutes(2)))
    func twoGibibytes() async {
        // In a child, where no other test takes memory at the same time.
        await #expect(processExitsWith: .success) {
            let growth = try await LargeStreamTests.growth()
            exit(growth < 16 << 20 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    private static func growth() async throws -> Int {
        var growth = Int.max
        try await withPluginDirectory { (directory) async throws in
            try await directory.install("stream", [Unit(text: text)], provides: ["trove.backup/1"])
            let registry = try directory.load(["stream"])
            let options = PluginDirectory.options(.seconds(100))
            let writer = try await BackupSession.open(
                registry, reference: "test.stream", config: [:], options: options)
            let reader = try await BackupSession.open(
                registry, reference: "test.stream", config: [:], options: options)
            var ends: [Int32] = [-1, -1]
            #expect(clinux_pipe(&ends) == 0)
            let (input, output) = (ends[0], ends[1])
            let before = try mostResidentBytes()
            async let restored: Void = reader.restore([:], inputFD: input, options)
            _ = try await writer.backup(["type": "full"], outputFD: output, options)
            close(output)
            try await restored
            close(input)
            growth = try mostResidentBytes() - before
            await writer.close()
            await reader.close()
            registry.shutdown()
        }
        return growth
    }
}
