// SPDX-License-Identifier: Apache-2.0

/// A small server in C that speaks sd_notify and listens on TCP.
///
/// `engine <address> <port> <mode> <file>`: appends a line to the file, then by mode: `notify` listens and says READY=1;
/// `tcp` listens after a moment and says nothing; `silent` never becomes ready; `stubborn` is ready and ignores SIGTERM;
/// `quick` ends with status 3 at once; `noisy` is ready and writes to its output.
let engineSource = #"""
    #include <arpa/inet.h>
    #include <netinet/in.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/un.h>
    #include <unistd.h>

    static void say(const char *text) {
      const char *path = getenv("NOTIFY_SOCKET");
      if (!path) return;
      struct sockaddr_un to = {.sun_family = AF_UNIX};
      strncpy(to.sun_path, path, sizeof to.sun_path - 1);
      int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
      if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) < 0) perror("sendto");
      close(fd);
    }

    int main(int count, char **args) {
      if (count != 5) return 64;
      const char *mode = args[3];
      FILE *file = fopen(args[4], "a");
      if (file) { fprintf(file, "%d %d\n", (int)getpid(), (int)getuid()); fclose(file); }
      if (!strcmp(mode, "quick")) return 3;
      if (!strcmp(mode, "stubborn")) signal(SIGTERM, SIG_IGN);
      if (!strcmp(mode, "silent")) for (;;) pause();
      if (!strcmp(mode, "tcp")) usleep(50000);
      int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
      struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(args[2]))};
      inet_pton(AF_INET, args[1], &at.sin_addr);
      if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 16)) { perror("bind"); return 4; }
      if (strcmp(mode, "tcp")) say("STATUS=ready to serve\nREADY=1\n");
      if (!strcmp(mode, "noisy")) { for (int i = 0; i < 1000; i++) puts("a line of the engine's own log"); fflush(stdout); }
      for (;;) {
        int client = accept(fd, NULL, NULL);
        if (client >= 0) close(client);
      }
    }
    """#
