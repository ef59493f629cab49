import type { Routing } from '../../../contract/routing.ts'
import { afterCrash } from '../../../core/rollout/after-crash.ts'
import { takeBack } from '../../../core/rollout/routing-changes.ts'
import { bootRouting } from '../../services/boot-routing.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'
import type { ServiceLog } from '../service-log.ts'
import { reasonOf, ServiceRecord } from './service-record.ts'
import type { VersionStore } from './version-store.ts'

/**
 * What a starting process shall serve: what is written, without what is damaged, and without what was being tried when the process before
 * it crashed. The decision is written before it is answered.
 *
 * @throws EdgesmithError `BUNDLE_CORRUPT`, `NOT_FOUND`
 */
export async function routingAtStart(
  folder: ServiceFolder,
  crash: { hasCrashed: boolean; bootId: string },
  log: ServiceLog,
): Promise<Routing> {
  const { routing, notes } = await bootRouting(folder)
  for (const note of notes) log.error('damaged', { message: note })
  if (!crash.hasCrashed) return routing
  const { routing: safe, takenBack } = afterCrash(routing, crash.bootId)
  if (takenBack.length === 0) return routing
  await folder.writeRouting(safe)
  const record = new ServiceRecord(folder, log)
  const reason = 'The serving process crashed while this release was being tried.'
  for (const release of takenBack) {
    await record.failed(release, 'rollout', reason)
    await record.tell('rolled-back', release, reason)
  }
  return safe
}

/**
 * Loads the current release; where that fails the one before it, which becomes the current one.
 * @throws what loading the current release throws, where there is no other
 */
export async function loadCurrent(folder: ServiceFolder, routing: Routing, store: VersionStore, log: ServiceLog): Promise<Routing> {
  try {
    await store.load(routing.current, false)
    return routing
  } catch (error) {
    if (routing.previous === null) throw error
    const reason = `It could not be loaded: ${reasonOf(error)}`
    const safe = takeBack(routing, routing.current)
    await store.load(safe.current, false)
    await folder.writeRouting(safe)
    const record = new ServiceRecord(folder, log)
    await record.failed(routing.current, 'load', reason)
    await record.tell('fell-back', routing.current, reason)
    return safe
  }
}
