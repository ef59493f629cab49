import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { benchmarkSchema, comparisonSchema } from '../../src/contract/measurement.ts'
import { installTrtexec, trtexecCalls } from '../devices/trtexec-stand-in.ts'
import { callCli } from './cli-call.ts'
import { errorDocument } from './documents.ts'
import { type SmallFiles, writeSmallFiles } from './small-model.ts'

/** The commands with `--runtime tensorrt`, on this computer with a stand-in for trtexec on PATH. */
let folder: string
let bin: string
let files: SmallFiles
const path = process.env.PATH
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })
const quick = ['--runtime', 'tensorrt', '--runs', '70', '--warmup-runs', '2', '--warmup-seconds', '0']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-trt-'))
  files = await writeSmallFiles(folder)
  bin = join(folder, 'bin')
  installTrtexec(bin, { version: '8.5' })
  process.env.PATH = `${bin}:${path}`
})
afterAll(async () => {
  process.env.PATH = path
  await rm(folder, { recursive: true })
})

it('bench shows engine, version, GPU, time to build and warnings, and gates hold', async () => {
  const first = await edgesmith('bench', files.model, ...quick, '--no-fp16')
  expect(first.code).toBe(0)
  expect(first.stdout).toMatch(/scenario single, TensorRT$/m)
  expect(first.stdout).toMatch(/^TensorRT +8\.5\.2, Orin$/m)
  expect(first.stdout).toMatch(/^engine +[\d.]+ k?B, built in 1\.50? s, GPU 1\.56 ms, copies 0\.125 ms and 0\.062\d? ms$/m)
  expect(first.stdout).toMatch(/^warning: TensorRT: GPU compute time is unstable/m)
  expect(first.stdout).not.toContain('--fp16')
  const missed = await edgesmith('bench', files.model, ...quick, '--no-fp16', '--max-latency-ms', '1', '--json')
  expect(missed.code).toBe(1)
  const run = missed.json(benchmarkSchema.extend({ gates: z.array(z.object({ passed: z.boolean() })) }))
  expect(run.tensorRt).toMatchObject({ version: '8.5.2', buildSeconds: null })
  expect(run.gates).toEqual([{ passed: false }])
  expect((await edgesmith('runs')).stdout).toMatch(/benchmark, single, TensorRT/)
}, 120_000)

it('sweeps batch sizes with an engine each, and refuses threads', async () => {
  const swept = await edgesmith('bench', files.model, ...quick, '--scenario', 'batch', '--batch', '1,4', '--json')
  expect(swept.code).toBe(0)
  const { runs } = swept.json(z.object({ runs: z.array(benchmarkSchema) }).loose())
  expect(runs.map(({ settings, tensorRt }) => [settings.batch, tensorRt?.buildSeconds])).toEqual([
    [1, 1.5],
    [4, 1.5],
  ])
  const threads = await edgesmith('bench', files.model, ...quick, '--threads', '1,2', '--json')
  expect([threads.code, threads.json(errorDocument).error.code]).toEqual([2, 'USAGE'])
}, 120_000)

it('compares with interleaved blocks, says what accuracy is of, and reports it', async () => {
  const calls = trtexecCalls(bin).length
  const int8 = await edgesmith('optimize', files.model, '--recipe', 'fp16', '--target', 'tensorrt', '--out', 'half.onnx', '--json')
  expect({ code: int8.code, stderr: int8.stderr }).toMatchObject({ code: 0 })
  const compared = await edgesmith(
    'compare',
    files.model,
    'half.onnx',
    ...quick,
    '--blocks',
    '3',
    '--data',
    files.labelled,
    '--report',
    'out.md',
    '--json',
  )
  expect(compared.code).toBe(0)
  const comparison = compared.json(comparisonSchema.loose())
  expect(comparison.settings.runtime).toBe('tensorrt')
  // Both engines take the same time: nothing may be called faster.
  expect(comparison.rows.map(({ speedup }) => speedup?.verdict ?? null)).toEqual([null, 'no difference shown'])
  for (const { warnings } of comparison.rows)
    expect(warnings.some((warning) => warning.startsWith('Accuracy was measured with ONNX Runtime'))).toBe(true)
  // A trial and a timing for each of three blocks of both; a round in which clocks were held down is measured again.
  const timed = trtexecCalls(bin)
    .slice(calls)
    .filter(({ operands }) => operands.some((word) => word.startsWith('--loadEngine=')))
  expect(timed.length).toBeGreaterThanOrEqual(2 * 3 * 2)
  const report = await readFile(join(folder, 'out.md'), 'utf8')
  expect(report).toContain('trtexec')
}, 180_000)

it('says what to do where there is no TensorRT', async () => {
  process.env.PATH = path
  try {
    const result = await edgesmith('bench', files.model, ...quick, '--json')
    expect(result.code).toBe(2)
    expect(result.json(errorDocument).error).toMatchObject({ code: 'TENSORRT_MISSING', hint: expect.stringContaining('Jetson') })
  } finally {
    process.env.PATH = `${bin}:${path}`
  }
}, 60_000)
