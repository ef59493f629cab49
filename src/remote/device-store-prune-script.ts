import { shellQuote } from '../core/shell-quote.ts'
import { hashFunction } from './device-store-scripts.ts'

/** An agent that another computer brought and has not used since is gone after this time; it would be sent again. */
const foreignRuntimeSeconds = 30 * 24 * 3600
/** A runtime without a manifest is being put together, or was never finished. */
const unfinishedRuntimeSeconds = 3600
/** Models and datasets that nothing refers to stay for the next run: this long, and at most this much, those used last. */
const cachedSeconds = 30 * 24 * 3600
const cachedBytes = 2_000_000_000
/** What was used within this time may be waiting for a run of another computer; it stays whatever the sum. */
const recentSeconds = 24 * 3600

/**
 * Deletes what nobody needs any more: `runtime=ID` and `freed=BYTES` (once for each file).
 * - Agents other than `keepIds`, unless a process runs from them or a service or detached run names them. Those that another computer
 *   signed only when they were not used for 30 days.
 * - The files of these agents, as far as no other agent has them.
 * - Files that no agent, service or detached run refers to: those not used for 30 days, and beyond 2 GB those used longest ago.
 */
export function pruneStoreScript(root: string, keepIds: readonly string[], publicKey: string): string {
  return `root=${shellQuote(root)}
${hashFunction}
cd "$root/runtime" 2>/dev/null || exit 0
now=$(date +%s)
older() { m=$(date -r "$1" +%s 2>/dev/null) && [ $((now - m)) -gt $2 ]; }
running=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' '\\n')
is_used() {
  case $running in *"$root/runtime/$1/"*) return 0;; esac
  for f in "$root"/services/*/runtime "$root"/services/*/releases/*/runtime "$root"/jobs/*/runtime; do
    [ -f "$f" ] || continue
    run=; IFS= read -r run <"$f"
    [ "$run" = "$root/runtime/$1" ] && return 0
  done
  return 1
}
old=
for id in *; do
  [ -d "$id" ] || continue
  case " "${shellQuote(keepIds.join(' '))}" " in *" $id "*) continue;; esac
  is_used "$id" && continue
  manifest=$(cat "$id/manifest.json" 2>/dev/null)
  case $manifest in
    '') older "$id" ${unfinishedRuntimeSeconds} || continue;;
    *'"'${shellQuote(publicKey)}'"'*) ;;
    *) older "$id" ${foreignRuntimeSeconds} || continue;;
  esac
  for f in manifest.json manifest.sig; do [ -f "$id/$f" ] && manifest="$manifest $(hash "$id/$f")"; done
  # Without its manifest it is no agent, should this be cut off.
  rm -f "$id/manifest.json" && rm -rf "./$id" && { old="$old $manifest"; echo "runtime=$id"; }
done
# Whatever is named in these files is needed, and so is what a runtime has as a second name for it.
needed=$(cat "$root"/runtime/*/manifest.json "$root"/services/*/releases/*/release.json "$root"/services/*/releases/*/config.json "$root"/jobs/*/request* 2>/dev/null)
kept=0
cd "$root/blobs" && stat -c '%Y %h %s %n' * 2>/dev/null | sort -rn | while read -r used links size name; do
  case $needed in *"$name"*) continue;; esac
  [ "$links" -eq 1 ] || continue
  age=$((now - used))
  case $old in
    *"$name"*) ;;
    *)
      kept=$((kept + size))
      [ $age -gt ${cachedSeconds} ] || { [ $kept -gt ${cachedBytes} ] && [ $age -gt ${recentSeconds} ]; } || continue;;
  esac
  rm -f "$name" && echo "freed=$size"
done
echo end=1
`
}
