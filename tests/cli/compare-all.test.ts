import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callCli } from './cli-call.ts'
import { compareAllDocument } from './documents.ts'
import { writeSmallFiles } from './small-model.ts'

/** Enough for every number to be there, and no longer. */
const quick = ['--runs', '40', '--warmup-runs', '2', '--warmup-seconds', '0', '--blocks', '2']

let folder: string
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-all-'))
  await writeSmallFiles(folder)
})
afterAll(() => rm(folder, { recursive: true }))

describe('optimize --compare-all', () => {
  it('tries every recipe, tells people, writes everything as JSON, and holds limits against the recommended build', async () => {
    const args = ['optimize', 'small.onnx', '--compare-all', '--data', 'labelled.npz', ...quick, '--out', 'results.json']
    // Nothing has one byte: the limit is missed, and everything is written all the same.
    const { code, stdout, stderr } = await edgesmith(...args, '--max-size-bytes', '1')
    expect(code, stderr).toBe(1)
    expect(stderr).toContain('GATE_FAILED')
    expect(stdout).toMatch(/^recipe +size +accuracy +difference +p50 +speed-up +verdict$/m)
    expect(stdout).toMatch(/^\(small\) .* source$/m)
    expect(stdout).toMatch(/^int8-dynamic .* (faster|slower|no difference shown)/m)
    expect(stdout).toMatch(/^Recommended: small/m)
    expect(stdout).toMatch(/^Results: .*results\.json$/m)

    const document = compareAllDocument.parse(JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')))
    expect(document.comparison?.rows[0]?.model).toBe('small')
    expect(document.results.map(({ title }) => title)).toEqual(document.entries.map(({ title }) => title))
    expect(document.results.find(({ title }) => title === 'int8-dynamic')).toMatchObject({ error: null, sizeBytes: expect.any(Number) })
    expect(document.results.filter(({ recommended }) => recommended)).toHaveLength(document.recommended ? 1 : 0)
    expect(document.gates).toMatchObject([{ gate: 'max-size-bytes', passed: false }])
    expect(stdout).toContain(`edgesmith report ${document.comparison?.id.slice(0, 8)} --out report.html`)
  }, 240_000)
})
