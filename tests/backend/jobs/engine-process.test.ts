import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runEngine } from '../../../src/backend/jobs/engine-process.ts'
import { isProcessAlive, processIdentity } from '../../../src/backend/process-identity.ts'

const request = { command: 'inspect-model', path: '/nowhere/model.onnx', name: 'model' } as const
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-engine-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An engine that does what real ones do when something goes wrong. */
function engine(name: string, body: string): string {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, `process.on('disconnect', () => process.exit(1)); process.once('message', () => { ${body} })`)
  return path
}

describe('runEngine', () => {
  test('the real engine answers with its own coded error', async () => {
    const entry = join(import.meta.dirname, '../../../src/engine/engine-entry.ts')
    await expect(runEngine(request, { entry })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  })

  test('an engine that crashes is a coded error with its last words', async () => {
    const entry = engine('crash', `console.error('about to fall over'); process.abort()`)
    await expect(runEngine(request, { entry })).rejects.toMatchObject({
      code: 'ENGINE_DIED',
      details: { lastWords: expect.stringContaining('about to fall over') },
    })
  })

  test('an engine that is killed from outside is reported, and its pid is withdrawn', async () => {
    const entry = engine('hang', 'setInterval(() => {}, 1000)')
    const pids: (number | null)[] = []
    const running = runEngine(request, {
      entry,
      onPid: (pid) => {
        pids.push(pid)
        if (pid !== null) setTimeout(() => process.kill(pid, 'SIGKILL'), 150)
      },
    })
    await expect(running).rejects.toMatchObject({ code: 'ENGINE_DIED', message: expect.stringContaining('SIGKILL') })
    expect(pids.at(-1)).toBeNull()
  })

  test('cancelling ends an engine that does not listen', async () => {
    const entry = engine('deaf', `process.on('SIGTERM', () => {}); const until = Date.now() + 60000; while (Date.now() < until) {}`)
    const controller = new AbortController()
    let identity = ''
    const running = runEngine(request, {
      entry,
      signal: controller.signal,
      onPid: (pid) => {
        if (pid !== null) identity = processIdentity(pid)
      },
    })
    setTimeout(() => controller.abort(), 200)
    await expect(running).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(isProcessAlive(identity)).toBe(false)
  })

  test('an engine that outgrows its limit is ended', async () => {
    const entry = engine('grow', 'globalThis.kept = []; setInterval(() => globalThis.kept.push(Buffer.alloc(30e6, 1)), 20)')
    await expect(runEngine(request, { entry, memoryLimitBytes: 200e6 })).rejects.toMatchObject({ code: 'MEMORY_LIMIT' })
  })

  test('a result that is not of the contract is refused', async () => {
    const entry = engine('liar', `process.send({ type: 'result', value: { nonsense: true } }, () => process.exit(0))`)
    await expect(runEngine(request, { entry })).rejects.toThrow()
  })
})
