import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCli, startCli } from './cli-process.ts'
import { compareDocument, errorDocument, optimizeDocument } from './documents.ts'
import { type SmallFiles, writeSmallFiles } from './small-model.ts'

let folder: string
let files: SmallFiles
const edgesmith = (...args: string[]) => runCli(args, { workspace: join(folder, 'workspace'), folder })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-program-'))
  files = await writeSmallFiles(folder)
})
afterAll(() => rm(folder, { recursive: true }))

describe('the program, as processes of its own', () => {
  it('optimizes and compares with one JSON document on standard output, progress on standard error', async () => {
    const optimized = await edgesmith(
      'optimize',
      files.model,
      '--recipe',
      'int8-static',
      '--calibration',
      files.labelled,
      '--out',
      'int8.onnx',
      '--json',
    )
    expect(optimized.code, optimized.stdout).toBe(0)
    const { output } = optimized.json(optimizeDocument)
    expect(output.sha256).toBe(
      createHash('sha256')
        .update(await readFile(join(folder, 'int8.onnx')))
        .digest('hex'),
    )
    expect(optimized.stderr).toMatch(/^Make int8-static of small$/m)
    const args = [
      'compare',
      files.model,
      'int8.onnx',
      '--data',
      files.labelled,
      '--runs',
      '60',
      '--warmup-runs',
      '2',
      '--warmup-seconds',
      '0',
      '--blocks',
      '2',
    ]
    const compared = await edgesmith(...args, '--max-size-bytes', '1', '--json')
    expect(compared.code, compared.stdout).toBe(1)
    expect(compared.json(compareDocument)).toMatchObject({ baseline: 'small', error: { code: 'GATE_FAILED' } })
  })

  it('exits 2 on wrong usage', async () => {
    expect(await edgesmith('inspcet')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Did you mean "inspect"?') })
  })

  it('serves in the foreground until Ctrl+C, and leaves nothing', async () => {
    const running = startCli(['serve', 'small'], { workspace: join(folder, 'workspace'), folder })
    await running.waitFor('stdout', 'Ctrl+C stops it.')
    const url = /address +(\S+)/.exec(running.written.stdout)?.[1] ?? ''
    const token = /token +(\S+)/.exec(running.written.stdout)?.[1] ?? ''
    expect((await fetch(`${url}/health`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 0 })
    await expect(fetch(`${url}/health`)).rejects.toThrow()
    expect((await edgesmith('deployments', '--json')).json(z.object({ deployments: z.array(z.unknown()) })).deployments).toEqual([])
  })

  it('cancels a job on Ctrl+C and says so', async () => {
    const running = startCli(['bench', 'small', '--seconds', '60', '--json'], { workspace: join(folder, 'workspace'), folder })
    await running.waitFor('stderr', /^ {2}\S/m)
    running.child.kill('SIGINT')
    const result = await running.ended
    expect(result.code).toBe(1)
    expect(result.json(errorDocument).error.code).toBe('JOB_CANCELLED')
    const [job] = (await edgesmith('jobs', '--limit', '1', '--json')).json(
      z.object({ jobs: z.array(z.looseObject({ id: z.string() })) }),
    ).jobs
    expect(job).toMatchObject({ state: 'cancelled', kind: 'bench.start' })
    expect((await edgesmith('job', String(job?.id), '--json')).json(z.looseObject({}))).toMatchObject({ state: 'cancelled' })
  })

  it('ends quietly when nobody reads any more', async () => {
    const running = startCli(['--help'], { workspace: join(folder, 'workspace'), folder })
    running.child.stdout?.destroy()
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' })
  })
})
