import { serviceNameSchema } from '../contract/names.ts'
import { shellQuote } from '../core/shell-quote.ts'
import { runScript } from './remote-script.ts'
import type { FoundServices } from './service-ground.ts'
import type { SshChannels } from './ssh-channels.ts'

/** A device holds a handful. */
const mostServices = 1000

/** `service=NAME` for each, and `runtime=FOLDER` of the first agent that is whole: one that serves, or any other. */
function searchScript(root: string): string {
  return `root=${shellQuote(root)}
n=0
for d in "$root"/services/*; do
  [ -d "$d" ] && [ $n -lt ${mostServices} ] || continue
  n=$((n+1))
  echo "service=\${d##*/}"
done
[ $n -eq 0 ] && exit 0
for r in "$root"/services/*/runtime; do
  [ -f "$r" ] || continue
  run=; IFS= read -r run <"$r"
  [ -f "$run/manifest.json" ] && [ -x "$run/node" ] && { echo "runtime=$run"; exit 0; }
done
for run in "$root"/runtime/*; do
  [ -f "$run/manifest.json" ] && [ -x "$run/node" ] && { echo "runtime=$run"; exit 0; }
done
exit 0
`
}

/** Services on a device and an agent there, found without one. @throws EdgesmithError CONNECTION_LOST */
export async function findServices(channels: SshChannels, root: string): Promise<FoundServices> {
  const { stdout } = await runScript(channels, searchScript(root))
  const names = [...stdout.matchAll(/^service=(.*)$/gm)].map(([, name = '']) => name)
  const runtime = /^runtime=(\/.*)$/m.exec(stdout)?.[1] ?? null
  return {
    services: names.filter((name) => serviceNameSchema.safeParse(name).success),
    // Nothing but a folder of our own is started.
    runtime: runtime?.startsWith(`${root}/runtime/`) ? runtime : null,
  }
}
