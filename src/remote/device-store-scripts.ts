import { shellQuote } from '../core/shell-quote.ts'
import { forgetTracesLines } from './service-traces-script.ts'

/**
 * Scripts for the store on a device. Layout below its root (`~/.edgesmith`, mode 0700):
 * `blobs/<sha256>` whole and checked files; `runtime/<bundle>/` hard links that make up an agent, `manifest.json` linked last;
 * `tmp/push-<pid>/` an upload in progress; `parts/<sha256>/` what interrupted uploads brought; `trusted-keys` who may bring agents;
 * `services/<name>/`, `jobs/`, `engines/`.
 * Every script can be cut off at any point and run again.
 */

/** An upload that did not grow for this long belongs to a link that died without a word. */
const stalledUploadSeconds = 600
/** From making its folder to going into it, an upload takes no second. */
const startingUploadSeconds = 60
/** An upload of ours that has all its bytes is let finish: unpacking and hashing 130 MB on a slow card. Tenths of a second. */
const finishingUploadTenths = 1000
/** Who did not come back within a week starts anew. */
const partsSeconds = 7 * 24 * 3600

/** Exit codes of the scripts, apart from those of sh itself. */
export const storeExit = { unpackFailed: 20, corrupt: 21, keepFailed: 22, noFolder: 23, blobMissing: 24 } as const

/** `hash FILE` prints its SHA-256; without any tool for it, a Node that was pushed does it (`$hasher`, or one of a runtime). */
export const hashFunction = `has() { command -v "$1" >/dev/null 2>&1; }
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

export const openRoot = (root: string) => `root=${shellQuote(root)}
for d in "$root" "$root/blobs" "$root/runtime" "$root/tmp" "$root/parts" "$root/services"; do [ -d "$d" ] || mkdir "$d" || [ -d "$d" ] || exit ${storeExit.noFolder}; done
chmod 700 "$root"
`

/**
 * `put_back FOLDER` keeps the chunks in it for the next upload of the same file. They are moved one by one into a folder that is there, so
 * that two uploads of one file cannot get into each other; whether a chunk is whole is seen when it is used.
 */
export const putBackFunction = `put_back() {
  p=$root/parts/\${1##*/}
  [ -d "$p" ] || mkdir "$p" 2>/dev/null
  (cd "$1" 2>/dev/null && mv -f ./* "$p/") 2>/dev/null
  rmdir "$p" 2>/dev/null
}
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
  /** Hashes of the forms it may travel in: chunks of them are of no use once it is there. */
  readonly travelsAs: readonly string[]
}

/**
 * Makes the folders, saves what interrupted uploads brought, and tells which of the files are there: `have=SHA`, or `bad=SHA` for one whose
 * content has another hash (it is deleted). Also `disk=` (a line of df) and `gzip=yes`.
 * @param owner of uploads: one that is still there belongs to a connection of ours that broke, and makes place
 */
export function presenceScript(root: string, owner: string, blobs: readonly SoughtBlob[]): string {
  return `${openRoot(root)}${hashFunction}${putBackFunction}
now=$(date +%s)
works_in() { [ "$(readlink "/proc/$1/cwd" 2>/dev/null)" = "$2" ]; }
is_ours() { o=; IFS= read -r o 2>/dev/null <"$1/owner"; [ "$o" = ${shellQuote(owner)} ]; }
# An upload leads its session, tar and gzip with it.
end_upload() { kill -9 "-$1" 2>/dev/null; kill -9 "$1" 2>/dev/null; }
for d in "$root"/tmp/push-* "$root"/tmp/old-*; do
  [ -d "$d" ] || continue
  p=\${d##*-}
  if [ -d "/proc/$p" ]; then
    if works_in "$p" "$d" && is_ours "$d"; then
      n=0
      while [ -e "$d/received" ] && works_in "$p" "$d" && [ $n -lt ${finishingUploadTenths} ]; do sleep 0.1 2>/dev/null || { sleep 1; n=$((n+9)); }; n=$((n+1)); done
      works_in "$p" "$d" && end_upload "$p"
    else
      newest=0
      for f in "$d" "$d"/in "$d"/in/* "$d"/out "$d"/out/*; do m=$(date -r "$f" +%s 2>/dev/null) && [ "$m" -gt $newest ] && newest=$m; done
      [ $newest -gt 0 ] || continue
      # Not in it yet, or another program with the same number.
      works_in "$p" "$d" && limit=${stalledUploadSeconds} || limit=${startingUploadSeconds}
      [ $((now - newest)) -gt $limit ] || continue
      works_in "$p" "$d" && end_upload "$p"
    fi
  fi
  # Renamed first: another computer may be clearing up, too.
  o=$root/tmp/old-$$
  rm -rf "$o"
  mv "$d" "$o" 2>/dev/null || continue
  for c in "$o"/in/*; do [ -d "$c" ] && put_back "$c"; done
  rm -rf "$o"
done
for d in "$root"/parts/*; do [ -d "$d" ] && m=$(date -r "$d" +%s 2>/dev/null) && [ $((now - m)) -gt ${partsSeconds} ] && rm -rf "$d"; done
check() {
  b=$root/blobs/$1
  [ -f "$b" ] || return 0
  if [ "$(stat -c %s "$b" 2>/dev/null || wc -c <"$b")" -eq $2 ] && { [ $3 = length ] || [ "$(hash "$b")" = "$1" ]; }; then
    # The moment of its last use, which decides what is cleared away some day.
    touch "$b" 2>/dev/null
    echo "have=$1"
    # An upload that was cut and came to its senses only after the next one had brought the file.
    shift 3
    for c in "$@"; do [ -d "$root/parts/$c" ] && rm -rf "$root/parts/$c"; done
  else rm -f "$b"; echo "bad=$1"
  fi
}
${blobs.map(({ sha256, sizeBytes, lengthOnly, travelsAs }) => `check ${[sha256, sizeBytes, lengthOnly ? 'length' : 'content', ...travelsAs].join(' ')}`).join('\n')}
has gzip && echo gzip=yes
has df && printf 'disk=%s\\n' "$(df -Pk "$root" 2>/dev/null | { IFS= read -r line; IFS= read -r line; printf %s "$line"; })"
echo end=1
`
}

/**
 * Makes `runtime/<id>/` out of files of the store; the last name is what makes it whole. The key that signed it becomes one the device
 * trusts: `trusted=COUNT` when it was not yet.
 */
export function linkRuntimeScript(
  root: string,
  id: string,
  files: readonly { readonly name: string; readonly sha256: string }[],
  publicKey: string,
): string {
  return `${openRoot(root)}${hashFunction}
run=$root/runtime/${shellQuote(id)}
[ -d "$run" ] || mkdir "$run" || [ -d "$run" ] || exit ${storeExit.noFolder}
put() {
  b=$root/blobs/$1; f=$run/$2
  [ "$b" -ef "$f" ] && return
  # Cleared away by another computer since we looked.
  [ -f "$b" ] || exit ${storeExit.blobMissing}
  if ln "$b" "$f.$$" 2>/dev/null; then :
  elif [ -f "$f" ] && [ "$(hash "$f")" = "$1" ]; then return
  else cp -p "$b" "$f.$$" || exit ${storeExit.keepFailed}
  fi
  # Another computer may have put the very same file there meanwhile, which mv refuses to replace by itself.
  mv -f "$f.$$" "$f" 2>/dev/null || [ "$b" -ef "$f" ] || [ "$(hash "$f")" = "$1" ] || exit ${storeExit.keepFailed}
  rm -f "$f.$$"
}
trust() {
  n=0
  if [ -f "$root/trusted-keys" ]; then
    while IFS= read -r k; do
      [ "$k" = "$1" ] && return
      [ -n "$k" ] && n=$((n+1))
    done <"$root/trusted-keys"
  fi
  # A line of its own even if the power went off in the middle of the last one.
  printf '\\n%s\\n' "$1" >>"$root/trusted-keys" || exit ${storeExit.keepFailed}
  echo "trusted=$((n+1))"
}
trust ${shellQuote(publicKey)}
${files.map(({ name, sha256 }) => `put ${shellQuote(sha256)} ${shellQuote(name)}`).join('\n')}
touch "$run" 2>/dev/null
sync "$run" "$root/trusted-keys" 2>/dev/null || sync
echo end=1
`
}

/**
 * Deletes all that Edgesmith put on the device, and ends every agent that runs from there: `removed=KILOBYTES`, and `left=UNIT` for a
 * system unit it may not delete. Services are removed before, each in its own way; what is left of them goes here.
 */
export function removeEverythingScript(root: string): string {
  return `root=${shellQuote(root)}
real=$(cd "$root" 2>/dev/null && pwd -P) || real=$root
${forgetTracesLines}${isAgentFunction}
agents() { for d in /proc/[0-9]*; do is_agent "\${d#/proc/}" "$root/runtime/" && echo "\${d#/proc/}"; done; }
for p in $(agents); do kill -TERM "$p" 2>/dev/null; done
n=0
while [ $n -lt 20 ] && [ -n "$(agents)" ]; do sleep 0.1 2>/dev/null || sleep 1; n=$((n+1)); done
for p in $(agents); do kill -KILL "$p" 2>/dev/null; done
kb=0
[ -d "$root" ] && { kb=$(du -sk "$real" 2>/dev/null); kb=\${kb%%[!0-9]*}; }
cd / && rm -rf "$root/blobs" "$root/runtime" "$root/tmp" "$root/parts" "$root/services" "$root/jobs" "$root/engines" "$root/trusted-keys" || exit ${storeExit.keepFailed}
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
