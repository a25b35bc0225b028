// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

@testable import Compute

/// A guest agent of a few lines: reads its configuration, makes a data directory or starts an engine that ignores SIGTERM.
enum TestAgent {
    /// Path of the program; nil where no C compiler is installed.
    static let path: String? = build()

    private static func build() -> String? {
        let compilers = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
            .flatMap { ["\($0)/clang", "\($0)/cc"] }
        guard let compiler = compilers.first(where: { access($0, X_OK) == 0 }) else { return nil }
        var template = Array("/tmp/trove-agent-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let program = "\(directory)/agent"
        do throws(ComputeError) {
            try HostFiles.writeAtomically("\(directory)/agent.c", Array(source.utf8))
            try ProcessLaunch.run([compiler, "-O1", "-o", program, "\(directory)/agent.c"], timeout: .seconds(60))
            chmod(directory, 0o755)
            chmod(program, 0o755)
            removeAtExit(directory)
            return program
        } catch {
            return nil
        }
    }

    private static func removeAtExit(_ directory: String) {
        Self.directory.withLock { $0 = directory }
        atexit { TestAgent.directory.withLock { _ = clinux_remove_tree($0) } }
    }

    private static let directory = Lock("")

    private static let source = #"""
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <grp.h>
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/file.h>
        #include <sys/stat.h>
        #include <unistd.h>
        static char text[65536];
        static char *member(const char *name) {
          static char value[8][4096];
          static int next;
          char key[128];
          snprintf(key, sizeof key, "\"%s\":\"", name);
          char *at = strstr(text, key);
          if (!at) return NULL;
          at += strlen(key);
          char *out = value[next++ % 8];
          snprintf(out, 4096, "%.*s", (int)strcspn(at, "\""), at);
          return out;
        }
        static void join(void) {
          char *at = strstr(text, "\"cgroup_procs\":[");
          if (!at) return;
          char *end = strchr(at, ']');
          for (at = strstr(at, "[") + 1; at < end && *at == '"';) {
            char path[4096];
            size_t length = strcspn(at + 1, "\"");
            snprintf(path, sizeof path, "%.*s", (int)length, at + 1);
            int fd = open(path, O_WRONLY);
            if (fd < 0 || write(fd, "0", 1) != 1) _exit(9);
            close(fd);
            at += length + 2;
            if (*at == ',') at++;
          }
        }
        static void engine(void) {
          join();
          setsid();
          if (strstr(text, "\"set_ids\":true")) {
            int uid = atoi(strstr(text, "\"uid\":") + 6);
            if (setgroups(0, NULL) || setgid(uid) || setuid(uid)) _exit(8);
          }
          if (chdir(member("data_dir"))) _exit(7);
          execl("/proc/self/exe", "engine", member("data_dir"), NULL);
          _exit(5);
        }
        static int serve(void) {
          signal(SIGTERM, SIG_IGN);
          int fd = open("engine.pid.new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
          if (fd < 0 || dprintf(fd, "%d", getpid()) < 0 || rename("engine.pid.new", "engine.pid")) return 6;
          for (;;) pause();
        }
        int main(int argc, char **argv) {
          if (!strcmp(argv[0], "engine")) return serve();
          if (argc == 3 && !strcmp(argv[1], "lock")) {
            int lock = open(argv[2], O_RDWR | O_CREAT, 0600);
            if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) || write(1, "held", 4) != 4) return 1;
            for (;;) pause();
          }
          int fd = argc == 3 && !strcmp(argv[1], "--config") ? open(argv[2], O_RDONLY) : -1;
          if (fd < 0 || read(fd, text, sizeof text - 1) < 1) return 2;
          close(fd);
          fprintf(stderr, "agent up\n");
          if (strstr(text, "\"mode\":\"initialize\"")) {
            if (strstr(text, "\"behave\":\"fail\"")) return 3;
            if (strstr(text, "\"behave\":\"hang\"")) for (;;) pause();
            if (member("trace")) {
              int trace = open(member("trace"), O_WRONLY | O_CREAT | O_APPEND, 0600);
              if (trace < 0 || dprintf(trace, "%d\n", getpid()) < 0) return 10;
              close(trace);
            }
            if (strstr(text, "\"behave\":\"slow\"")) usleep(300000);
            if (chdir(member("data_dir"))) return 4;
            mkdir("db", 0700);
            static char block[128 * 1024];
            memset(block, 'x', sizeof block);
            for (int i = 0; i < 180; i++) {
              char name[32];
              snprintf(name, sizeof name, "db/t%d", i);
              int out = open(name, O_WRONLY | O_CREAT, 0600);
              if (out < 0 || write(out, block, sizeof block) != sizeof block) return 5;
              close(out);
            }
            return 0;
          }
          if (fork() == 0) engine();
          for (;;) pause();
        }
        """#
}

/// A value behind a lock, for test fixtures.
final class Lock<Value>: @unchecked Sendable {  // @unchecked: the mutex protects the value
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
    }

    func withLock<R>(_ body: (inout Value) -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
