import { EdgesmithError } from '../../contract/errors.ts'
import type { Routing } from '../../contract/routing.ts'
import { sha256OfFile } from '../../platform/file-hash.ts'
import type { ServiceFolder } from './service-folder.ts'

/**
 * Finds what a service that starts shall serve: the current release when its file and its model are whole, otherwise the previous one,
 * otherwise the newest whole one that did not fail. What is damaged beside it is taken away. The decision is written before it is answered.
 *
 * @returns the routing, and what was found damaged, in words
 * @throws EdgesmithError `BUNDLE_CORRUPT` when no release is whole; `NOT_FOUND` when none was ever written
 */
export async function bootRouting(folder: ServiceFolder): Promise<{ routing: Routing; notes: string[] }> {
  const notes: string[] = []
  const read = await folder.readRouting().catch((error: unknown) => {
    notes.push(wordsOf(error))
    return null
  })
  const wholes = new Map<string, Promise<boolean>>()
  const isWhole = (id: string) => {
    const known = wholes.get(id) ?? checked(folder, id, notes)
    wholes.set(id, known)
    return known
  }
  const routing = read && (await repaired(read, isWhole))
  if (routing) {
    if (routing === read) return { routing, notes }
    return decided(folder, routing, notes)
  }
  const releases = (await folder.listReleases()).reverse()
  for (const { id } of releases) {
    if ((await folder.readFailure(id)) !== null || !(await isWhole(id))) continue
    return decided(folder, { version: 1, current: id, previous: null, beside: [], watch: null }, notes)
  }
  if (releases.length === 0 && read === null) {
    throw new EdgesmithError('NOT_FOUND', `${folder.path} holds no release.`, { hint: 'Deploy a model to the service.' })
  }
  throw new EdgesmithError('BUNDLE_CORRUPT', `No release in ${folder.path} is whole: ${notes.join(' ') || 'all of them failed.'}`, {
    hint: 'Deploy the model again.',
  })
}

/** The same object where nothing is damaged; null where neither current nor previous is whole. */
async function repaired(read: Routing, isWhole: (id: string) => Promise<boolean>): Promise<Routing | null> {
  const beside: Routing['beside'] = []
  for (const one of read.beside) if (await isWhole(one.release)) beside.push(one)
  if (await isWhole(read.current)) {
    const previous = read.previous !== null && (await isWhole(read.previous)) ? read.previous : null
    if (beside.length === read.beside.length && previous === read.previous) return read
    return { ...read, previous, beside }
  }
  if (read.previous === null || !(await isWhole(read.previous))) return null
  return { ...read, current: read.previous, previous: null, beside: beside.filter(({ release }) => release !== read.previous), watch: null }
}

async function decided(folder: ServiceFolder, routing: Routing, notes: string[]) {
  await folder.writeRouting(routing)
  await folder.appendEvent({
    at: new Date().toISOString(),
    kind: 'fell-back',
    release: routing.current,
    text: notes.join(' ') || 'There was no routing.',
  })
  return { routing, notes }
}

async function checked(folder: ServiceFolder, id: string, notes: string[]): Promise<boolean> {
  try {
    await checkRelease(folder, id)
    return true
  } catch (error) {
    notes.push(wordsOf(error))
    return false
  }
}

/** @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT` naming the file that is not the one that was deployed */
export async function checkRelease(folder: ServiceFolder, id: string): Promise<void> {
  const release = await folder.readRelease(id)
  const path = folder.modelPath(release, id)
  const found = await sha256OfFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new EdgesmithError('FILE_NOT_FOUND', `The service's model ${path} does not exist.`)
    throw error
  })
  if (found === release.modelSha256) return
  throw new EdgesmithError('BUNDLE_CORRUPT', `The model ${path} is not the one that was deployed: its hash differs.`, {
    hint: 'Deploy the model again.',
    details: { expected: release.modelSha256, found },
  })
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
