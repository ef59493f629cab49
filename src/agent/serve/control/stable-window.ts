import { z } from 'zod'
import type { Routing } from '../../../contract/routing.ts'
import { releaseIdSchema } from '../../../contract/service.ts'
import type { ReleaseWindow } from '../../../core/rollout/rollout-verdict.ts'
import { readJson, type ServiceFolder } from '../../services/service-folder.ts'

/** Name of the file in a service's folder. */
const FILE = 'watched.json'

const countSchema = z.int().min(0)
/** What the release before a watched one did, for a process that goes on with the watch after a restart. */
const stableWindowSchema = z.object({
  release: releaseIdSchema,
  previous: releaseIdSchema,
  requests: countSchema,
  errors: countSchema,
  refused: countSchema,
  latenciesMs: z.array(z.number().min(0)).max(2000),
})

/** Writes down what a release that is going to be watched is compared with. @param routing that begins the watch */
export async function writeStableWindow(folder: ServiceFolder, { current, previous }: Routing, window: ReleaseWindow): Promise<void> {
  // Clocks are not more exact than microseconds.
  const latenciesMs = Array.from(window.latenciesMs, (ms) => Number(ms.toFixed(3)))
  await folder.replace(FILE, `${JSON.stringify({ release: current, previous, ...window, latenciesMs })}\n`)
}

/** What the watched release of a routing is compared with; null where that is not known. */
export async function readStableWindow(folder: ServiceFolder, { current, previous }: Routing): Promise<ReleaseWindow | null> {
  const read = await readJson(folder.at(FILE), stableWindowSchema)
  if (read === null || read.release !== current || read.previous !== previous) return null
  const { requests, errors, refused, latenciesMs } = read
  return { requests, errors, refused, latenciesMs: Float32Array.from(latenciesMs) }
}
