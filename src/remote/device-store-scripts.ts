import { shellQuote } from './shell-quote.ts'

/**
 * Scripts for the store on a device. Layout below its root (`~/.edgesmith`, mode 0700):
 * `blobs/<sha256>` whole and checked files; `runtime/<bundle>/` hard links that make up an agent, `manifest.json` linked last;
 * `tmp/push-<pid>/` an upload in progress; `services/<name>/`.
 * Every script can be cut off at any point and run again.
 */

/** An upload whose files did not grow for this long belongs to a link that died without a word. */
const stalledUploadSeconds = 600
/** From making its folder to going into it, an upload takes no second. */
const startingUploadSeconds = 60

/** Exit codes of the scripts, apart from those of sh itself. */
export const storeExit = { unpackFailed: 20, corrupt: 21, keepFailed: 22, noFolder: 23 } as const

/** `hash FILE` prints its SHA-256; without any tool for it, a Node that was pushed does it (`$hasher`, or one of a runtime). */
const hashFunction = `has() { command -v "$1" >/dev/null 2>&1; }
if has sha256sum; then hash() { h=$(sha256sum <"$1") && printf %s "\${h%% *}"; }
elif has openssl; then hash() { h=$(openssl dgst -sha256 <"$1") && printf %s "\${h##* }"; }
elif has shasum; then hash() { h=$(shasum -a 256 <"$1") && printf %s "\${h%% *}"; }
else hash() {
  for n in "$hasher" "$root"/runtime/*/node; do
    [ -x "$n" ] && "$n" -e 'process.stdout.write(require("crypto").createHash("sha256").update(require("fs").readFileSync(process.argv[1])).digest("hex"))' "$1" 2>/dev/null && return
  done
}
fi
hasher=
`

const openRoot = (root: string) => `root=${shellQuote(root)}
for d in "$root" "$root/blobs" "$root/runtime" "$root/tmp" "$root/services"; do [ -d "$d" ] || mkdir "$d" || [ -d "$d" ] || exit ${storeExit.noFolder}; done
chmod 700 "$root"
`

/** `is_agent PID FOLDER`: whether one argument of that process is, as a whole, the agent below that folder. */
const isAgentFunction = `nl='
'
is_agent() {
  case $(tr '\\000' '\\n' 2>/dev/null <"/proc/$1/cmdline") in *"$nl$2"*"agent.cjs$nl"*) return 0;; esac
  return 1
}`

/** A file that is looked for on the device. */
export interface SoughtBlob {
  readonly sha256: string
  readonly sizeBytes: number
  /** Compare the length only: its content was checked a moment ago. */
  readonly lengthOnly: boolean
}

/**
 * Makes the folders, clears what interrupted uploads left, and tells which of the files are there: `have=SHA`, or `bad=SHA` for one whose
 * content has another hash (it is deleted). Also `disk=` (a line of df) and `gzip=yes`.
 */
export function presenceScript(root: string, blobs: readonly SoughtBlob[]): string {
  return `${openRoot(root)}${hashFunction}
now=$(date +%s)
works_in() { [ "$(readlink "/proc/$1/cwd" 2>/dev/null)" = "$2" ]; }
for d in "$root"/tmp/push-*; do
  [ -d "$d" ] || continue
  p=\${d##*-}
  if [ -d "/proc/$p" ]; then
    newest=0
    for f in "$d" "$d"/*; do m=$(date -r "$f" +%s 2>/dev/null) && [ "$m" -gt $newest ] && newest=$m; done
    [ $newest -gt 0 ] || continue
    # Not in it yet, or another program with the same number.
    works_in "$p" "$d" && limit=${stalledUploadSeconds} || limit=${startingUploadSeconds}
    [ $((now - newest)) -gt $limit ] || continue
    works_in "$p" "$d" && kill -9 "$p" 2>/dev/null
  fi
  rm -rf "$d"
done
check() {
  b=$root/blobs/$1
  [ -f "$b" ] || return 0
  if [ "$(stat -c %s "$b" 2>/dev/null || wc -c <"$b")" -eq $2 ] && { [ $3 = length ] || [ "$(hash "$b")" = "$1" ]; }; then echo "have=$1"
  else rm -f "$b"; echo "bad=$1"
  fi
}
${blobs.map(({ sha256, sizeBytes, lengthOnly }) => `check ${shellQuote(sha256)} ${sizeBytes} ${lengthOnly ? 'length' : 'content'}`).join('\n')}
has gzip && echo gzip=yes
has df && printf 'disk=%s\\n' "$(df -Pk "$root" 2>/dev/null | { IFS= read -r line; IFS= read -r line; printf %s "$line"; })"
echo end=1
`
}

/** A file that an upload brings, as it arrives. */
export interface ArrivingBlob {
  readonly sha256: string
  readonly executable: boolean
  readonly gzipped: boolean
}

/**
 * Takes a tar stream from standard input (members `SHA` or `SHA.gz`), checks every file and puts it into the store, or none: `stored=SHA`.
 * The folder it works in goes with it, whatever happens to the link.
 */
export function receiveScript(root: string, blobs: readonly ArrivingBlob[]): string {
  const hasher = blobs.find((blob) => blob.executable)?.sha256
  const unpack = blobs
    .map(({ sha256, executable, gzipped }) => `unpack ${sha256} ${executable ? '700' : '600'} ${gzipped ? 'gz' : 'raw'}`)
    .join('\n')
  return `trap '' HUP PIPE
${openRoot(root)}${hashFunction}
t=$root/tmp/push-$$
mkdir "$t" && cd "$t" || exit ${storeExit.noFolder}
trap 'cd /; rm -rf "$t"' EXIT
trap 'exit 1' INT TERM
${hasher ? `hasher=$t/${hasher}` : ''}
tar -xof - || exit ${storeExit.unpackFailed}
unpack() {
  if [ $3 = gz ]; then gzip -dc "$1.gz" >"$1" || { echo "corrupt=$1"; exit ${storeExit.unpackFailed}; }; rm -f "$1.gz"; fi
  chmod $2 "$1" || exit ${storeExit.unpackFailed}
}
keep() {
  if [ "$(hash "$t/$1")" != "$1" ]; then echo "corrupt=$1"; exit ${storeExit.corrupt}; fi
  echo "checked=$1"
}
${unpack}
${blobs.map(({ sha256 }) => `keep ${sha256}`).join('\n')}
sync ./* 2>/dev/null || sync
for f in *; do mv -f "$f" "$root/blobs/$f" || exit ${storeExit.keepFailed}; echo "stored=$f"; done
sync "$root/blobs" 2>/dev/null || sync
`
}

/** Makes `runtime/<id>/` out of files of the store; the last name is what makes it whole. */
export function linkRuntimeScript(root: string, id: string, files: readonly { readonly name: string; readonly sha256: string }[]): string {
  return `${openRoot(root)}${hashFunction}
run=$root/runtime/${shellQuote(id)}
[ -d "$run" ] || mkdir "$run" || [ -d "$run" ] || exit ${storeExit.noFolder}
put() {
  b=$root/blobs/$1; f=$run/$2
  [ "$b" -ef "$f" ] && return
  if ln "$b" "$f.$$" 2>/dev/null; then :
  elif [ -f "$f" ] && [ "$(hash "$f")" = "$1" ]; then return
  else cp -p "$b" "$f.$$" || exit ${storeExit.keepFailed}
  fi
  # Another computer may have put the very same file there meanwhile, which mv refuses to replace by itself.
  mv -f "$f.$$" "$f" 2>/dev/null || [ "$b" -ef "$f" ] || [ "$(hash "$f")" = "$1" ] || exit ${storeExit.keepFailed}
  rm -f "$f.$$"
}
${files.map(({ name, sha256 }) => `put ${shellQuote(sha256)} ${shellQuote(name)}`).join('\n')}
sync "$run" 2>/dev/null || sync
echo end=1
`
}

/**
 * Deletes all that Edgesmith put on the device, and ends every agent that runs from there: `removed=KILOBYTES`.
 * Services are stopped before, each in its own way.
 */
export function removeEverythingScript(root: string): string {
  return `root=${shellQuote(root)}
real=$(cd "$root" 2>/dev/null && pwd -P) || real=$root
${isAgentFunction}
agents() { for d in /proc/[0-9]*; do is_agent "\${d#/proc/}" "$root/runtime/" && echo "\${d#/proc/}"; done; }
for p in $(agents); do kill -TERM "$p" 2>/dev/null; done
n=0
while [ $n -lt 20 ] && [ -n "$(agents)" ]; do sleep 0.1 2>/dev/null || sleep 1; n=$((n+1)); done
for p in $(agents); do kill -KILL "$p" 2>/dev/null; done
kb=0
[ -d "$root" ] && { kb=$(du -sk "$real" 2>/dev/null); kb=\${kb%%[!0-9]*}; }
cd / && rm -rf "$root/blobs" "$root/runtime" "$root/tmp" "$root/services" || exit ${storeExit.keepFailed}
if [ -L "$root" ]; then rm -f "$root"; rmdir "$real" 2>/dev/null; elif [ -d "$root" ]; then rmdir "$root" || exit ${storeExit.keepFailed}; fi
echo "removed=$kb"
`
}

/** Ends an agent for sure, unless the number belongs to another program by now. */
export function killAgentScript(runtime: string, pid: number): string {
  return `${isAgentFunction}
is_agent ${pid} ${shellQuote(`${runtime}/`)} && kill -9 ${pid}
exit 0
`
}
