import { SERVICE_PORT } from '../service-files.ts'

/** How the processor is found, and the Node for it; both scripts begin with it. */
const preamble = `set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
`

/**
 * Starts the service with nothing but a POSIX shell: it picks the files of this processor, makes a token at the first start and says how to
 * ask. The token never stands on a command line.
 */
export function startScript(service: string): string {
  return `#!/bin/sh
# Starts the service "${service}".
#   ./start.sh                      in the foreground; Ctrl+C stops it
#   ./start.sh --background         detached; ./stop.sh stops it, log is in service/log
#   ./start.sh --port 9000          on another port (kept for later starts)
#   ./start.sh --open HOST[,HOST]   for the network, under these names or addresses (kept for later starts)
#   ./start.sh --local              for this machine only again
${preamble}service=$here/service

fail() { echo "start.sh: $1" >&2; exit "\${2:-1}"; }

case "$(uname -s)" in Linux) ;; *) fail "this is for Linux, found $(uname -s)" 4 ;; esac
case "$(uname -m)" in
  x86_64|amd64) architecture=x64 ;;
  aarch64|arm64) architecture=arm64 ;;
  *) fail "there are no files for the processor $(uname -m)" 4 ;;
esac
# A 64-bit kernel may run a 32-bit system, as on older Raspberry Pi OS.
[ "$(getconf LONG_BIT 2>/dev/null || echo 64)" = 64 ] || fail "a 64-bit system is needed" 4
agent=$here/agent/$architecture
[ -f "$agent/node" ] || fail "this package holds no files for $architecture" 4
[ -x "$agent/node" ] || chmod +x "$agent/node" || fail "$agent/node cannot be run"

background=
set_port=
set_hosts=
while [ $# -gt 0 ]; do
  case "$1" in
    --background) background=1 ;;
    --port) [ -n "\${2:-}" ] || fail "--port needs a number" 2; set_port=$2; shift ;;
    --open) [ -n "\${2:-}" ] || fail "--open needs names" 2; set_hosts=$2; shift ;;
    --local) set_hosts=- ;;
    *) fail "unknown option $1" 2 ;;
  esac
  shift
done

if [ -n "$set_port$set_hosts" ]; then
  "$agent/node" "$here/configure.cjs" "$service/service.json" "$set_port" "$set_hosts" || exit 2
fi

if [ ! -s "$service/token" ]; then
  [ -w "$service" ] || fail "$service cannot be written to: the token must be kept there"
  (umask 077; head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' > "$service/token.part")
  mv "$service/token.part" "$service/token"
  echo "Made a token: $service/token"
fi
chmod 600 "$service/token" 2>/dev/null || true

port=$(sed -n 's/^ *"port": *\\([0-9]*\\),*$/\\1/p' "$service/service.json")
[ -n "$port" ] || port=${SERVICE_PORT}
cat <<END
${service}: http://127.0.0.1:$port   (documentation: http://127.0.0.1:$port/docs)
  TOKEN=\\$(cat "$service/token")
  curl -s -H "Authorization: Bearer \\$TOKEN" http://127.0.0.1:$port/health
END
[ -f "$here/example-request.json" ] && cat <<END
  curl -s -H "Authorization: Bearer \\$TOKEN" -H 'Content-Type: application/json' \\\\
    --data @"$here/example-request.json" http://127.0.0.1:$port/predict
END

ORT_DISABLE_TELEMETRY=1
export ORT_DISABLE_TELEMETRY
cd "$service"
[ -n "$background" ] || exec "$agent/node" "$agent/agent.cjs" serve "$service"

if [ -f pid ] && kill -0 "$(cat pid)" 2>/dev/null; then fail "it runs already (process $(cat pid)); ./stop.sh stops it"; fi
nohup "$agent/node" "$agent/agent.cjs" serve "$service" >> log 2>&1 < /dev/null &
pid=$!
echo "$pid" > pid
tries=0
# One that was killed may have left the file.
while ! grep -qs "\\"pid\\":$pid," state.json; do
  kill -0 "$pid" 2>/dev/null || { rm -f pid; tail -n 5 log >&2; fail "it did not start" 3; }
  tries=$((tries + 1))
  [ "$tries" -lt 240 ] || fail "it does not answer after a minute; see $service/log" 3
  sleep 0.25 2>/dev/null || sleep 1
done
echo "Running as process $pid; log: $service/log"
`
}

export const stopScript = `#!/bin/sh
# Stops what ./start.sh --background started; requests in flight are finished first.
${preamble}service=$here/service
[ -f "$service/pid" ] || { echo "It was not started in the background." >&2; exit 1; }
pid=$(cat "$service/pid")
case "$(tr '\\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null)" in
  *"agent.cjs serve $service "*) ;;
  *) rm -f "$service/pid"; echo "It does not run."; exit 0 ;;
esac
kill "$pid"
tries=0
while kill -0 "$pid" 2>/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 15 ] || { kill -9 "$pid" 2>/dev/null || true; break; }
  sleep 1
done
rm -f "$service/pid"
echo "Stopped."
`

/** Changes port and network in `service.json`: node configure.cjs FILE PORT HOSTS, each empty for no change, "-" for no hosts. */
export const configureProgram = `const { readFileSync, renameSync, writeFileSync } = require('node:fs')

const [file, port, hosts] = process.argv.slice(2)
const fail = (reason) => {
  console.error('start.sh: ' + reason)
  process.exit(2)
}
try {
  const settings = JSON.parse(readFileSync(file, 'utf8'))
  if (port) {
    if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65535) fail('--port ' + port + ' is not a port')
    settings.port = Number(port)
  }
  if (hosts === '-') {
    settings.host = '127.0.0.1'
    settings.network = null
  } else if (hosts) {
    const names = hosts.split(',').filter((name) => name !== '')
    const wrong = names.find((name) => !/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]{2,45}\\])$/.test(name))
    if (names.length === 0 || wrong !== undefined) fail('--open ' + (wrong === undefined ? hosts : wrong) + ' is no name of a host')
    settings.host = '0.0.0.0'
    settings.network = { hosts: names }
  }
  writeFileSync(file + '.part', JSON.stringify(settings, null, 1) + '\\n')
  renameSync(file + '.part', file)
} catch (error) {
  fail(error.message)
}
`

/** An example for systemd; paths and user are to be changed. Hardened as far as Node allows: V8 makes code at run time. */
export function unitFile(service: string): string {
  return `# Example: copy the package to /opt/${service}, then
#   sudo useradd --system --no-create-home ${service}
#   sudo chown -R ${service}: /opt/${service}/service
#   sudo cp ${service}.service /etc/systemd/system/ && sudo systemctl enable --now ${service}
[Unit]
Description=REST API of the model ${service}
After=network.target

[Service]
ExecStart=/opt/${service}/start.sh
User=${service}
Restart=always
RestartSec=1
TimeoutStopSec=15
KillMode=mixed
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/opt/${service}/service
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
UMask=0077

[Install]
WantedBy=multi-user.target
`
}
