import { shellQuote } from '../core/shell-quote.ts'
import { hashFunction, openRoot, putBackFunction, storeExit } from './device-store-scripts.ts'

/** A link that breaks costs at most this much and what was under way, and 8 GiB are still a list that a shell can hold. */
export const chunkBytes = 1_048_576

/** Name of a chunk; all have the same length, so that a shell sorts them in their order. */
export function chunkName(index: number): string {
  return String(index).padStart(5, '0')
}

/** A file that an upload brings, as it arrives. */
export interface ArrivingBlob {
  readonly sha256: string
  readonly executable: boolean
  readonly gzipped: boolean
  /** Hash of what travels, which names the folder of its chunks: two ways to compress a file must not be mixed. */
  readonly key: string
  /** Of what travels. */
  readonly sizeBytes: number
}

/**
 * Takes files in chunks of {@link chunkBytes}, puts them together, checks and stores them.
 * 1. It takes over what an interrupted upload left of them and answers `held=KEY CHUNK…` for each, then `ready=1`.
 * 2. It reads one line: `send`, or `drop` to forget what was held. After `send` comes a tar stream with the chunks that are missing,
 *    members `KEY/CHUNK`.
 * 3. `checked=SHA` and `stored=SHA`, or `corrupt=SHA`: that file has another content than it should, and nothing is kept of it.
 * Its folder goes with it, whatever happens to the link; what arrived is kept for the next upload unless the disk is full.
 */
export function receiveScript(root: string, owner: string, blobs: readonly ArrivingBlob[]): string {
  const hasher = blobs.find((blob) => blob.executable)?.sha256
  const count = ({ sizeBytes }: ArrivingBlob) => Math.ceil(sizeBytes / chunkBytes)
  const last = (blob: ArrivingBlob) => blob.sizeBytes - (count(blob) - 1) * chunkBytes
  const all = (line: (blob: ArrivingBlob) => string) => blobs.map(line).join('\n')
  return `trap '' HUP PIPE
${openRoot(root)}${hashFunction}${putBackFunction}
t=$root/tmp/push-$$
rm -rf "$t"
mkdir "$t" && cd "$t" || exit ${storeExit.noFolder}
fate=keep
leave() {
  cd /
  [ $fate = keep ] && for c in "$t"/in/*; do [ -d "$c" ] && put_back "$c"; done
  rm -rf "$t"
}
trap leave EXIT
trap 'exit 1' INT TERM
printf '%s\\n' ${shellQuote(owner)} >owner && mkdir in out || { fate=drop; exit ${storeExit.keepFailed}; }
${hasher ? `hasher=$t/out/${hasher}` : ''}
is_full() {
  case $1 in *"No space left"*|*[Dd]"isk quota exceeded"*|*"Wrote only "*) return 0;; esac
  return 1
}
fail() {
  printf '%s\\n' "$1" >&2
  is_full "$1" && fate=drop
  exit ${storeExit.unpackFailed}
}
# KEY, number of chunks, length of the last one
claim() {
  key=$1; chunks=$2; last=$3; held=
  [ -d "in/$key" ] && return
  mv "$root/parts/$key" "in/$key" 2>/dev/null || mkdir "in/$key" || exit ${storeExit.noFolder}
  set -- $(cd "in/$key" && { stat -c '%s %n' * 2>/dev/null || wc -c * 2>/dev/null; })
  while [ $# -ge 2 ]; do
    size=$1; name=$2; shift 2
    case $name in [0-9][0-9][0-9][0-9][0-9]) ;; *) continue;; esac
    want=${chunkBytes}; [ "$name" -eq $((chunks-1)) ] && want=$last
    if [ "$name" -lt $chunks ] && [ "$size" -eq $want ]; then held="$held $name"; else rm -f "in/$key/$name"; fi
  done
  echo "held=$key$held"
}
${all((blob) => `claim ${blob.key} ${count(blob)} ${last(blob)}`)}
echo ready=1
go=; IFS= read -r go
[ "$go" = send ] || { [ "$go" = drop ] && fate=drop; exit 0; }
said=$(cd in && tar -xof - 2>&1) || fail "$said"
# A stream that ends between two files looks whole to some tars.
whole() { set -- "$2" in/"$1"/*; [ $# -eq $(($1 + 1)) ] || fail "the stream ended too early"; }
${all((blob) => (blob.sizeBytes > 0 ? `whole ${blob.key} ${count(blob)}` : ''))}
: >received
bad=
corrupt() { echo "corrupt=$1"; rm -rf "out/$1" "in/$2"; bad="$bad $1"; }
unpack() {
  f=out/$2
  if [ $4 = gz ]; then
    said=$({ cat in/"$1"/* | gzip -dc >"$f"; } 2>&1) || { is_full "$said" && fail "$said"; corrupt "$2" "$1"; return; }
  elif [ $4 = raw ]; then
    # One after the other, so that a large file does not need its room twice.
    said=$(for c in in/"$1"/*; do { cat "$c" >>"$f" && rm -f "$c"; } || exit 1; done 2>&1) || fail "$said"
  else : >"$f" || fail 'No space left'
  fi
  chmod $3 "$f" || exit ${storeExit.unpackFailed}
}
check() {
  [ -f "out/$1" ] || return 0
  if [ "$(hash "$t/out/$1")" = "$1" ]; then echo "checked=$1"; else corrupt "$1" "$2"; fi
}
${all((blob) => `unpack ${blob.key} ${blob.sha256} ${blob.executable ? '700' : '600'} ${formOf(blob)}`)}
${all(({ sha256, key }) => `check ${sha256} ${key}`)}
sync out/* 2>/dev/null || sync
for f in out/*; do
  [ -f "$f" ] || continue
  mv -f "$f" "$root/blobs/\${f##*/}" || exit ${storeExit.keepFailed}
  echo "stored=\${f##*/}"
done
sync "$root/blobs" 2>/dev/null || sync
fate=drop
[ -z "$bad" ] || exit ${storeExit.corrupt}
`
}

/** `none`: a file without a byte has no chunk. */
function formOf({ gzipped, sizeBytes }: ArrivingBlob): 'gz' | 'raw' | 'none' {
  if (sizeBytes === 0) return 'none'
  return gzipped ? 'gz' : 'raw'
}
