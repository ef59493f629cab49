import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootRouting } from '../../../src/agent/services/boot-routing.ts'
import { ServiceFolder } from '../../../src/agent/services/service-folder.ts'
import { forgetUndo, noteForUndo, undoChanges } from '../../../src/agent/services/undo-file.ts'
import { makeDurableFolder } from '../../../src/platform/durable-files.ts'
import { layOut, RecordedFiles } from './lost-power.ts'
import { release, settings } from './service-files.ts'

let base: string
let modelPath: string
const modelText = 'the bytes of a model'
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'edgesmith-power-'))
  modelPath = join(base, 'model.onnx')
  await writeFile(modelPath, modelText)
})
afterAll(() => rm(base, { recursive: true, force: true }))

const modelSha256 = createHash('sha256').update(modelText).digest('hex')
const routing = (current: string, previous: string | null) => ({ version: 1 as const, current, previous, beside: [], watch: null })

/** A service's folder whose writes are recorded. */
async function recorded(name: string) {
  const root = join(base, name)
  await mkdir(join(root, 'services'), { recursive: true })
  const files = new RecordedFiles(join(root, 'services'))
  const folder = new ServiceFolder(join(root, 'services', 'box'), files)
  await makeDurableFolder(files, folder.path)
  return { files, folder }
}

/** Boots from every disk that a loss of power after each operation may leave, and says which release it finds. */
async function bootEverywhere(files: RecordedFiles, check: (after: number, folder: ServiceFolder) => Promise<void>): Promise<number> {
  let disks = 0
  for (let after = 0; after <= files.operations.length; after++) {
    for (const disk of files.disksAfter(after)) {
      const place = join(base, 'disk')
      await layOut(disk, place)
      await check(after, new ServiceFolder(join(place, 'box')))
      disks++
    }
  }
  return disks
}

/** The release that a boot finds, whole; null where nothing was ever deployed. */
async function found(folder: ServiceFolder): Promise<string | null> {
  await undoChanges(folder.files, folder.path)
  try {
    const { routing: boot } = await bootRouting(folder)
    expect((await folder.readRelease(boot.current)).modelSha256).toBe(modelSha256)
    // What was decided is what the next boot finds.
    expect((await bootRouting(folder)).routing).toEqual(boot)
    return boot.current
  } catch (error) {
    expect(error).toMatchObject({ code: 'NOT_FOUND' })
    return null
  }
}

describe('a loss of power', () => {
  it('leaves the old release or the new one, whole, at any moment of a switch', async () => {
    const { files, folder } = await recorded('switch')
    const ids: string[] = []
    /** Number of operations before and after the routing of each release was written. */
    const marks: { from: number; to: number }[] = []
    await folder.writeSettings(settings)
    for (const modelName of ['first', 'second', 'third']) {
      const id = await folder.writeRelease(release({ modelName, modelPath, modelSha256 }))
      await folder.appendEvent({ at: new Date(0).toISOString(), kind: 'deployed', release: id, text: modelName })
      const from = files.operations.length
      await folder.writeRouting(routing(id, ids.at(-1) ?? null))
      marks.push({ from, to: files.operations.length })
      ids.push(id)
    }
    const disks = await bootEverywhere(files, async (after, disk) => {
      const surely = marks.filter(({ to }) => to <= after).length
      const perhaps = marks.filter(({ from }) => from < after).length
      // Before the first routing a whole release may be found, and serves: nothing else ever did.
      const allowed: (string | null)[] = surely === 0 ? [null, ids[0] as string] : ids.slice(surely - 1, perhaps)
      const current = await found(disk)
      expect(allowed, `after ${after} of ${files.operations.length}`).toContain(current)
      if (current !== null && surely > 0) expect((await disk.readSettings()).port).toBe(settings.port)
      for (const event of await disk.readEvents(10)) expect(event.kind).toMatch(/deployed|fell-back/)
    })
    expect(disks).toBeGreaterThan(100)
  })

  it('in a deploy that starts the new release itself brings back release and settings of before, together', async () => {
    const { files, folder } = await recorded('undo')
    const [first, second] = [
      await folder.writeRelease(release({ modelName: 'first', modelPath, modelSha256 })),
      await folder.writeRelease(release({ modelName: 'second', modelPath, modelSha256 })),
    ]
    await folder.writeSettings(settings)
    await folder.writeRouting(routing(first, null))
    await folder.replace('stopped', '')
    const begun = files.operations.length
    await noteForUndo(files, folder.path, null)
    await folder.writeSettings({ ...settings, port: 4444 })
    await folder.writeRouting(routing(second, first))
    await files.remove(folder.at('stopped'))
    const checked = files.operations.length
    await forgetUndo(files, folder.path)
    const decided = files.operations.length
    await bootEverywhere(files, async (after, disk) => {
      if (after < begun) return
      const current = await found(disk)
      const { port } = await disk.readSettings()
      const allowed = [...(after < decided ? [`${first} ${settings.port}`] : []), ...(after > checked ? [`${second} 4444`] : [])]
      expect(allowed, `after ${after}`).toContain(`${current} ${port}`)
    })
  })

  it('of a damaged card falls back to the previous release, and says so', async () => {
    const { folder } = await recorded('damaged')
    const lost = join(base, 'lost.onnx')
    await writeFile(lost, modelText)
    const first = await folder.writeRelease(release({ modelName: 'first', modelPath, modelSha256 }))
    const second = await folder.writeRelease(release({ modelName: 'second', modelPath: lost, modelSha256 }))
    await folder.writeRouting(routing(second, first))
    expect((await bootRouting(folder)).routing.current).toBe(second)
    await writeFile(lost, 'other bytes')
    const boot = await bootRouting(folder)
    expect(boot).toMatchObject({ routing: routing(first, null), notes: [expect.stringContaining(lost)] })
    expect(await folder.readRouting()).toEqual(boot.routing)
    expect(await folder.readEvents(1)).toMatchObject([{ kind: 'fell-back', release: first }])
    // The routing itself is lost too.
    await writeFile(folder.at('routing.json'), '{"version":1,"curr')
    expect((await bootRouting(folder)).routing.current).toBe(first)
    await writeFile(folder.releasePath(first), '{}')
    await expect(bootRouting(folder)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT', message: expect.stringContaining('hash differs') })
  })
})
