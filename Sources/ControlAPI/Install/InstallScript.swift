import ClusterPorts

/// What `/install` serves: a script for POSIX shells that makes the machine it runs on a node of this cluster.
///
/// Everything that is put into it comes from the coordinator's own settings and listing and is made of plain characters
/// (`AdvertisedHost`, `AgentPackage.parts`); nothing comes from a request.
struct InstallScript {
    var address: InterfaceAddress
    var packages: [AgentPackage]

    var text: String { head + Self.body }

    private var head: String {
        let cases = packages.map { package in
            """
                \(package.architecture))
                    file='\(package.name)'
                    digest='\(Hexadecimal.text(package.digest))'
                    ;;
            """
        }.joined(separator: "\n")
        return """
            #!/bin/sh
            # Makes this machine a node of the Suanpan cluster at \(address.url): installs the agent's package and starts it. Needs root,
            # and the join token on standard input:
            #
            #   echo 'spj_...' | sudo sh suanpan-join
            #
            # Running it again on a node that has joined brings the package up to date and starts the agent anew; jobs run on.
            set -eu

            url='\(address.url)'
            pin='\(address.certificate?.curlPin ?? "")'
            offered='\(packages.map(\.architecture).joined(separator: " "))'

            # The package for an architecture, and the SHA-256 of its bytes.
            choose() {
                case "$1" in
            \(cases)
                *) return 1 ;;
                esac
            }

            """
    }

    private static let body = #"""

        data=/var/lib/suanpan-agent
        launcher=/usr/libexec/suanpan/suanpan-launcher
        patience=60

        fail() {
            printf 'suanpan-join: %s\n' "$1" >&2
            exit 1
        }

        # What a program of the other side said last, for people to read.
        show() { sed 's/^/  /' | tail -n 15 >&2; }

        has() { command -v "$1" >/dev/null 2>&1; }

        uses_systemd() { [ -d /run/systemd/system ]; }

        # --- Checks ------------------------------------------------------------------------------------------------------

        check() {
            [ "$(id -u)" -eq 0 ] || fail "needs root: run it with sudo"
            for tool in curl dpkg sha256sum mktemp; do
                has "$tool" || fail "needs $tool: install it, then run this again"
            done
            uses_systemd || has start-stop-daemon || fail "needs systemd or start-stop-daemon to start the agent"
            architecture=$(dpkg --print-architecture)
            choose "$architecture" || fail "the coordinator has no package for $architecture, only for: $offered"
        }

        read_token() {
            token=
            [ -t 0 ] || IFS= read -r token || [ -n "$token" ] || true
            case "$token" in
            spj_*) ;;
            '') [ -s "$data/coordinator" ] || fail "gets the join token on standard input: echo 'spj_...' | sudo sh $0" ;;
            *) fail "what came on standard input is no join token: it begins with spj_; make one with 'suanpan node token --only-token'" ;;
            esac
        }

        # --- The package -------------------------------------------------------------------------------------------------

        fetch() {
            if [ -n "$pin" ]; then
                curl -fsSk --proto '=https' --pinnedpubkey "$pin" --retry 3 -o "$2" "$1"
            else
                curl -fsS --retry 3 -o "$2" "$1"
            fi
        }

        apt_install() {
            DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$1" </dev/null
        }

        # apt finds what the package depends on. Its lists may be old or were never fetched; without a network it still
        # does when everything is there, and so does dpkg where there is no apt.
        install_package() {
            if has apt-get; then
                apt_install "$1" >"$work/log" 2>&1 && return 0
                { apt-get update && apt_install "$1"; } >>"$work/log" 2>&1 && return 0
            fi
            dpkg --force-confold -i "$1" </dev/null >>"$work/log" 2>&1
        }

        get_package() {
            fetch "$url/install/$file" "$work/$file" ||
                fail "cannot fetch $url/install/$file: is the coordinator reachable from here, and has its certificate stayed the same?"
            printf '%s  %s\n' "$digest" "$work/$file" | sha256sum -c --status - ||
                fail "the package that came is not the one that was offered: run the newest line of 'suanpan node token'"
            install_package "$work/$file" || {
                show <"$work/log"
                fail "the package cannot be installed: mend what is said above, then run this again"
            }
        }

        # --- The agent ---------------------------------------------------------------------------------------------------

        hand_over_token() {
            install -d -m 0711 "$data"
            rm -f "$data/registered"
            [ -n "$token" ] || return 0
            rm -f "$data/join.token"
            (umask 077 && printf '%s\n' "$token" >"$data/join.token")
        }

        start_units() {
            systemctl enable --quiet suanpan-launcher.service suanpan-agent.service
            systemctl start suanpan-launcher.service
            systemctl restart suanpan-agent.service
        }

        # As the units do it: the launcher stays, since it keeps the jobs.
        start_daemons() {
            install -d -m 0700 "$data/run"
            start-stop-daemon --start --quiet --oknodo --background --make-pidfile --pidfile /run/suanpan-launcher.pid \
                --name suanpan-launche --startas "$launcher" --output /var/log/suanpan-launcher.log \
                -- --run-dir "$data/run" --linger 86400
            start-stop-daemon --stop --quiet --oknodo --retry 20 --pidfile /run/suanpan-agent.pid --name suanpan-agent
            start-stop-daemon --start --quiet --background --make-pidfile --pidfile /run/suanpan-agent.pid \
                --name suanpan-agent --startas /usr/bin/suanpan-agent --output /var/log/suanpan-agent.log \
                -- --data-dir "$data" --launcher external
        }

        start_agent() {
            if uses_systemd; then start_units; else start_daemons; fi
        }

        is_over() { ! uses_systemd && ! start-stop-daemon --status --pidfile /run/suanpan-agent.pid --name suanpan-agent; }

        # The agent leaves its name there once the coordinator has accepted it.
        await_registration() {
            waited=0
            while [ ! -s "$data/registered" ]; do
                if [ "$waited" -ge "$patience" ] || { [ "$waited" -ge 2 ] && is_over; }; then
                    if uses_systemd; then journalctl -u suanpan-agent.service -n 15 -o cat --no-pager | show; else show </var/log/suanpan-agent.log; fi
                    fail "the agent has not joined: see above; a used or expired token needs a new line from 'suanpan node token'"
                fi
                sleep 1
                waited=$((waited + 1))
            done
        }

        main() {
            check
            read_token
            work=$(mktemp -d)
            # The token is used up or of no use by the end; apt reads the package as a user of its own.
            trap 'rm -rf "$work" "$data/join.token"' EXIT
            trap 'exit 1' HUP INT TERM
            chmod 755 "$work"
            get_package
            hand_over_token
            start_agent
            await_registration
            printf 'suanpan-join: node %s has joined the cluster at %s\n' "$(cat "$data/registered")" "$url"
        }

        # Read whole before anything is done, so that a script that was cut short does nothing.
        main

        """#
}
