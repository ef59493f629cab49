import { failureLogLines, largestLogBytes, startTimeoutSeconds, stopTimeoutSeconds } from './service-place.ts'
import { shellQuote } from './shell-quote.ts'

/**
 * Shell functions for services. A process is only ever ended when its command line holds the path of the release's configuration: after a
 * reboot the number in `pid` may belong to anybody.
 */
const functions = `has() { command -v "$1" >/dev/null 2>&1; }
pause() { sleep 0.1 2>/dev/null || { sleep 1; n=$((n+9)); }; }
gone() {
  IFS= read -r s 2>/dev/null <"/proc/$1/stat" || return 0
  case $s in *") Z "*) return 0;; esac
  return 1
}
pid_of() {
  pid=
  [ -s "$1/pid" ] && IFS= read -r p <"$1/pid" || return 1
  case $p in ''|*[!0-9]*) return 1;; esac
  case $(tr '\\000' '\\n' 2>/dev/null <"/proc/$p/cmdline") in *"$1/config.json"*) pid=$p; return 0;; esac
  return 1
}
stop_release() {
  if pid_of "$1"; then
    kill -TERM "$pid" 2>/dev/null
    n=0; while [ $n -lt ${stopTimeoutSeconds * 10} ] && pid_of "$1"; do pause; n=$((n+1)); done
    pid_of "$1" && kill -KILL "$pid" 2>/dev/null
    n=0; while [ $n -lt 20 ] && pid_of "$1"; do pause; n=$((n+1)); done
    pid_of "$1" && return 1
  fi
  rm -f "$1/pid" "$1/state.json"
}
start_release() {
  rm -f "$1/state.json"
  IFS= read -r run <"$1/runtime" && [ -x "$run/node" ] || { echo "the agent in $run is not there" >>"$1/log"; return 1; }
  [ -f "$1/log" ] && [ "$(wc -c <"$1/log")" -gt ${largestLogBytes} ] && mv -f "$1/log" "$1/log.1"
  cd "$1" || return 1
  if has setsid; then setsid "$run/node" "$run/agent.cjs" serve "$1/config.json" </dev/null >>"$1/log" 2>&1 &
  # Without it: hang-ups are ignored already, which a child inherits.
  else "$run/node" "$run/agent.cjs" serve "$1/config.json" </dev/null >>"$1/log" 2>&1 &
  fi
  child=$!
  echo "$child" >"$1/pid"
  n=0
  while [ $n -lt ${startTimeoutSeconds * 10} ]; do
    [ -s "$1/state.json" ] && return 0
    gone "$child" && { rm -f "$1/pid"; return 1; }
    pause; n=$((n+1))
  done
  echo "it did not listen within ${startTimeoutSeconds} s" >>"$1/log"
  stop_release "$1"
  return 1
}
set_current() { printf '%s\\n' "$1" >"$svc/current.new" && mv -f "$svc/current.new" "$svc/current"; }
say_state() { [ -s "$1/state.json" ] && { printf 'state=%s ' "$2"; tr '\\n' ' ' <"$1/state.json"; echo; }; }
say_release() {
  if pid_of "$1"; then
    rss=
    while IFS=':' read -r key value; do [ "$key" = VmRSS ] && rss=$value; done 2>/dev/null <"/proc/$pid/status"
    echo "running=$2 $pid $rss"
  else
    echo "halted=$2"
  fi
  say_state "$1" "$2"
}
`

/** Start of each script about one service. Its programs go on when the link breaks. */
function opening(root: string, service: string): string {
  return `trap '' HUP PIPE
root=${shellQuote(root)}
svc=$root/services/${shellQuote(service)}
${functions}`
}

/** `locked=yes`, or `held=AGE OWNER`. */
export function lockScript(root: string, service: string, owner: string, stealFrom: string | null): string {
  return `${opening(root, service)}
for d in "$root" "$root/services" "$svc" "$svc/releases"; do [ -d "$d" ] || mkdir "$d" || [ -d "$d" ] || exit 1; done
chmod 700 "$root"
l=$svc/lock
take() { mkdir "$l" 2>/dev/null && printf '%s\\n' ${shellQuote(owner)} >"$l/owner" && { echo locked=yes; exit 0; }; }
take
held=; IFS= read -r held 2>/dev/null <"$l/owner"
${stealFrom === null ? '' : `[ "$held" = ${shellQuote(stealFrom)} ] && mv "$l" "$l.$$" 2>/dev/null && rm -rf "$l.$$" && take`}
# It may have been given back, and taken by another one, this very moment.
since=$(date -r "$l" +%s 2>/dev/null) || { take; since=$(date +%s); }
echo "held=$(($(date +%s) - since)) $held"
`
}

export function unlockScript(root: string, service: string, owner: string): string {
  return `${opening(root, service)}
held=; IFS= read -r held 2>/dev/null <"$svc/lock/owner"
[ "$held" = ${shellQuote(owner)} ] && rm -rf "$svc/lock"
rmdir "$svc/releases" "$svc" 2>/dev/null
exit 0
`
}

/** `current=`, `stopped=yes`, `running=RELEASE PID RSS` or `halted=RELEASE`, `state=RELEASE JSON`, `now=`; `none=yes` without such a service. */
export function lookScript(root: string, service: string): string {
  return `${opening(root, service)}
[ -d "$svc/releases" ] || { echo none=yes; exit 0; }
current=; IFS= read -r current 2>/dev/null <"$svc/current"
echo "current=$current"
[ -e "$svc/stopped" ] && echo stopped=yes
for d in "$svc"/releases/*; do [ -d "$d" ] && say_release "$d" "\${d##*/}"; done
echo "now=$(date +%s)"
`
}

/** Standard input: the token and a newline, then the configuration. The token is ignored when the service has one. */
export function writeScript(root: string, service: string, release: string, runtime: string): string {
  return `${opening(root, service)}
r=$svc/releases/${shellQuote(release)}
[ -d "$r" ] || mkdir "$r" || exit 1
IFS= read -r token
[ -s "$svc/token" ] || { printf '%s\\n' "$token" >"$svc/token.new" && mv -f "$svc/token.new" "$svc/token"; } || exit 1
cat >"$r/config.json.new" && mv -f "$r/config.json.new" "$r/config.json" || exit 1
printf '%s\\n' ${shellQuote(runtime)} >"$r/runtime.new" && mv -f "$r/runtime.new" "$r/runtime" || exit 1
sync "$svc/token" "$r"/* "$r" 2>/dev/null || sync
echo end=1
`
}

/** `started=yes` and `state=`, or `started=no`, the log between `log=` and `endlog=`, and `restored=yes` when the other one serves again. */
export function startScript(root: string, service: string, release: string, insteadOf: string | null): string {
  const releasePath = (name: string) => `"$svc/releases/"${shellQuote(name)}`
  return `${opening(root, service)}
new=${releasePath(release)}
${insteadOf === null ? 'old=' : `old=${releasePath(insteadOf)}; stop_release "$old"`}
if start_release "$new"; then
  rm -f "$svc/stopped"
  [ -n "$old" ] && set_current ${shellQuote(release)}
  echo started=yes
  say_state "$new" ${shellQuote(release)}
else
  echo started=no
  echo log=
  tail -n ${failureLogLines} "$new/log" 2>/dev/null
  echo
  echo endlog=
  if [ -n "$old" ] && [ "$old" != "$new" ] && start_release "$old"; then echo restored=yes; fi
fi
`
}

export function setCurrentScript(root: string, service: string, release: string): string {
  return `${opening(root, service)}
set_current ${shellQuote(release)} || exit 1
sync "$svc/current" "$svc" 2>/dev/null || sync
`
}

export function stopScript(root: string, service: string, releases: readonly string[], byUser: boolean): string {
  return `${opening(root, service)}
${byUser ? ': >"$svc/stopped"' : ''}
${releases.map((release) => `stop_release "$svc/releases/"${shellQuote(release)} || exit 1`).join('\n')}
`
}

export function pruneScript(root: string, service: string, keep: readonly string[]): string {
  return `${opening(root, service)}
for d in "$svc"/releases/*; do
  [ -d "$d" ] || continue
  case \${d##*/} in ${keep.length > 0 ? keep.map(shellQuote).join('|') : "''"}) continue;; esac
  pid_of "$d" || rm -rf "$d"
done
`
}

export function readLogScript(root: string, service: string, release: string, lines: number, maxBytes: number): string {
  return `${opening(root, service)}
r=$svc/releases/${shellQuote(release)}
{ [ -f "$r/log.1" ] && cat "$r/log.1"; [ -f "$r/log" ] && cat "$r/log"; } 2>/dev/null | tail -c ${maxBytes} | tail -n ${lines}
`
}

export function readTokenScript(root: string, service: string): string {
  return `${opening(root, service)}
token=; IFS= read -r token 2>/dev/null <"$svc/token"
echo "token=$token"
`
}

export function removeScript(root: string, service: string): string {
  return `${opening(root, service)}
rm -rf "$svc" || exit 1
sync "$root/services" 2>/dev/null || sync
`
}

export function listScript(root: string): string {
  return `root=${shellQuote(root)}
for d in "$root"/services/*; do [ -d "$d" ] && echo "service=\${d##*/}"; done
exit 0
`
}
