// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

extension EndToEnd {
    /// The pages' own commands, in order, on a host that has nothing of it yet; the units' command lines run as their units say.
    @Suite("The installation guide", .serialized)
    struct InstallationGuideTests {
        private static let configuration = Build.folder.hasSuffix("/release") ? "release" : "debug"

        @Test(
            "leads from three services to a database", .enabled(if: Build.isRoot, "the page is for root"),
            .timeLimit(.minutes(12))
        )
        func walk() async throws {
            let scratch = "/tmp/trove-guide-" + UUID().uuidString.prefix(8).lowercased()
            try FileManager.default.createDirectory(atPath: scratch + "/bin", withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            let nodes = try Nodes([.mariadb, .rabbitmq, .keystone])
            for (name, text) in try stand(nodes, scratch) {
                let path = scratch + "/bin/" + name
                try text.write(toFile: path, atomically: false, encoding: .utf8)
                chmod(path, 0o755)
            }
            let script = try Self.prologue + Self.installation() + Self.active + Self.operation() + Self.epilogue
            try script.write(toFile: scratch + "/walk.sh", atomically: false, encoding: .utf8)
            var environment = try variables(nodes)
            environment["SCRATCH"] = scratch
            environment["PATH"] = "\(scratch)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
            let result = try await Command.run(
                ["/usr/bin/unshare", "--mount", "/bin/sh", "-eu", scratch + "/walk.sh"], environment: environment,
                seconds: 600)
            let logs = try FileManager.default.contentsOfDirectory(atPath: scratch).filter { $0.hasSuffix(".log") }
                .map { "--- \($0)\n" + ((try? String(contentsOfFile: "\(scratch)/\($0)", encoding: .utf8)) ?? "") }
            #expect(result.status == 0, "\(result.output)\(result.errors)\(logs.joined(separator: "\n"))")
            #expect(result.output.contains("the guide is walked"), "\(result.output)")
            #expect(ControlPlane.processes(mentioning: scratch).isEmpty)
        }

        private static func installation() throws -> String {
            // All before the first database is the administrator's.
            try blocks("install", count: 12).map { ($0.contains("instance create") ? "eval \"$MEMBER\"\n" : "") + $0 }
                .joined(separator: "\n")
        }

        private static func operation() throws -> String { try blocks("operate", count: 4).joined(separator: "\n") }

        private static func blocks(_ page: String, count: Int) throws -> [String] {
            let text = try String(contentsOfFile: "\(Build.root)/docs/\(page).md", encoding: .utf8)
            let blocks = text.components(separatedBy: "```sh\n").dropFirst()
                .compactMap { $0.components(separatedBy: "```").first }
            try #require(blocks.count == count)
            return blocks
        }

        private func openrc(_ nodes: Nodes, _ user: String, project: String) throws -> [String: String] {
            [
                "OS_AUTH_URL": try nodes.text("keystone", "url"), "OS_USERNAME": user, "OS_PROJECT_NAME": project,
                "OS_PASSWORD": try nodes.password("keystone", user), "OS_IDENTITY_API_VERSION": "3",
                "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default", "OS_REGION_NAME": "RegionOne",
            ]
        }

        private func variables(_ nodes: Nodes) throws -> [String: String] {
            let member = try openrc(nodes, "demo", project: "demo").map { "export \($0)='\($1)'" }
            let port = try Listener("127.0.0.1", 0).port
            return try openrc(nodes, "admin", project: "admin").merging([
                "MEMBER": member.joined(separator: "\n"), "API_PORT": "\(port)",
                "DATABASE_PORT": "\(try nodes.port("mariadb", "port"))",
                "BROKER_PORT": "\(try nodes.port("rabbitmq", "port"))",
                "BROKER_MANAGEMENT": try nodes.text("rabbitmq", "management_url"),
                "IDENTITY_URL": try nodes.text("keystone", "url"),
            ]) { $1 }
        }

        /// Programs that stand for the host's: they reach the private nodes, and start units without systemd.
        private func stand(_ nodes: Nodes, _ scratch: String) throws -> [String: String] {
            let control = (nodes.document["rabbitmq"]?["environment"]?.objectValue ?? [:])
                .map { "\($0)='\($1.stringValue ?? "")'" }.sorted().joined(separator: " ")
            let socket = try nodes.text("mariadb", "socket")
            return [
                "apt-get": "#!/bin/sh\nexit 0\n",
                "mariadb": "#!/bin/sh\nexec /usr/bin/mariadb --socket=\(socket) \"$@\"\n",
                "mariadb-dump": "#!/bin/sh\nexec /usr/bin/mariadb-dump --socket=\(socket) \"$@\"\n",
                "rabbitmq-plugins": "#!/bin/sh\nexit 0\n",
                "rabbitmqctl": "#!/bin/sh\nexec env \(control) /usr/lib/rabbitmq/bin/rabbitmqctl \"$@\"\n",
                "openstack": "#!/bin/sh\nexec \(Build.openstack) \"$@\"\n",
                "make": """
                #!/bin/sh
                [ "$*" = "install PREFIX=/usr/local" ] && exec \(Build.root)/scripts/install \(Self.configuration) /usr/local

                """,
                "systemctl": """
                #!/bin/sh
                exec /usr/bin/python3 -B \(Build.root)/scripts/unit.py "$SCRATCH" "$@"

                """,
            ]
        }

        /// What is written below these directories stays in the scratch directory; nodes forget what fresh services do not have.
        ///
        /// The namespace is a copy of the host's mounts: volumes of other control planes are forgotten first, for a copied mount
        /// would hold their loop devices.
        private static let prologue = """
            awk '$1 ~ /^\\/dev\\/loop/ { print $2 }' /proc/self/mounts | while read -r copied; do umount -l "$copied"; done
            mkdir -p /var/lib/trove
            for place in /etc /usr/local /var/backups /var/lib/trove; do
                mkdir -p "$SCRATCH/over$place" "$SCRATCH/work$place"
                mount -t overlay overlay -o "lowerdir=$place,upperdir=$SCRATCH/over$place,workdir=$SCRATCH/work$place" "$place"
            done
            mkdir -p "$SCRATCH/home"
            mount --bind "$SCRATCH/home" /var/lib/trove
            mkdir -p /etc/systemd/system/trove-api.socket.d
            printf '[Socket]\\nListenStream=\\nListenStream=0.0.0.0:%s\\n' "$API_PORT" \
                >/etc/systemd/system/trove-api.socket.d/port.conf
            mariadb -e "DROP DATABASE trove; DROP USER 'trove'@'%'"
            rabbitmqctl -q delete_vhost trove
            rabbitmqctl -q delete_user trove
            printf 'user delete trove\\nservice delete trove\\n' | openstack || :
            finish() {
                systemctl stop trove-api.socket trove-api trove-taskmanager trove-conductor
                /usr/local/bin/trove purge --yes --home /var/lib/trove || true
            }
            trap finish EXIT

            """

        private static let active = """

            for _ in $(seq 600); do
                status=$(openstack database instance show first -f value -c status)
                [ "$status" = ACTIVE ] && break
                [ "$status" = ERROR ] && exit 1
                sleep 0.2
            done
            [ "$status" = ACTIVE ]

            """

        private static let epilogue = """

            openstack database instance delete first
            for _ in $(seq 100); do
                [ -z "$(openstack database instance list -f value)" ] && break
                sleep 0.2
            done
            /usr/local/bin/trove audit
            echo "the guide is walked"

            """
    }
}
