import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type BenchSettings, benchResultSchema, benchSettingsSchema } from '../../../src/contract/measurement.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { latencyStatistics } from '../../../src/core/statistics/latency-statistics.ts'
import { benchmark } from '../../../src/engine/measure/benchmark.ts'
import { forgetTrtexecCalls, installTrtexec, type StandInTrtexec, trtexecCalls } from '../../devices/trtexec-stand-in.ts'
import { linearModel } from './small-models.ts'

/** The whole way of a benchmark with TensorRT, with a stand-in for trtexec: there is no GPU here. */
let folder: string
let root: string
let enginesFolder: string
let model: string
const bin = () => join(root, 'usr/src/tensorrt/bin')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-tensorrt-'))
  model = join(folder, 'linear.onnx')
  writeFileSync(
    model,
    linearModel('N', [
      [1, 2],
      [3, 4],
    ]),
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => {
  const own = mkdtempSync(join(folder, 'board-'))
  root = join(own, 'root')
  enginesFolder = join(own, 'engines')
  mkdirSync(join(root, 'proc/device-tree'), { recursive: true })
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(root, 'proc/device-tree/model'), 'NVIDIA Jetson Orin Nano Developer Kit\0')
  writeFileSync(join(root, 'proc/device-tree/compatible'), 'nvidia,p3768-0000+p3767-0005\0nvidia,p3767-0005\0nvidia,tegra234\0')
  writeFileSync(join(root, 'etc/nv_tegra_release'), '# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64\n')
})

function settings(changes: Partial<BenchSettings> = {}): BenchSettings {
  return { ...benchSettingsSchema.parse({ runtime: 'tensorrt', runs: 40, warmupRuns: 5, warmupSeconds: 0.02 }), ...changes }
}

function run(changes: Partial<BenchSettings> = {}, { signal = new AbortController().signal, path = model, log = (_: string) => {} } = {}) {
  return benchmark(path, settings(changes), {
    reporter: { progress: () => {}, log },
    signal,
    edgesmithVersion: '1.2.3',
    systemRoot: root,
    enginesFolder,
  })
}

const install = (standIn: StandInTrtexec) => installTrtexec(bin(), standIn)
const engines = () => readdirSync(enginesFolder).filter((name) => name.endsWith('.engine'))
const builds = () => trtexecCalls(bin()).filter(({ operands }) => operands.some((word) => word.startsWith('--onnx=')))

describe('a benchmark with TensorRT', () => {
  it.each(['7.1', '8.2', '8.5', '8.6', '10.3', '11.1'] as const)(
    'builds, times and keeps every sample with trtexec %s',
    async (version) => {
      install({ version })
      const found = await run()
      expect(benchResultSchema.parse(found)).toEqual(found)
      expect(found.samples).toBe(40)
      expect(found.latenciesMs).toHaveLength(40)
      expect(found.latencyMs).toEqual(latencyStatistics(found.latenciesMs))
      // 2 ms a query: 0.125 in, 1.5 and a little more in the GPU, 0.062 out.
      expect(found.latencyMs.min).toBeCloseTo(1.687, 3)
      expect(found.latencyMs.max).toBeCloseTo(1.811, 3)
      expect(found.offsetsMs[39]).toBeCloseTo(39 * 2, 3)
      expect(found.throughputPerSecond).toBeCloseTo(500, -1)
      expect(found.firstInferenceMs).toBeGreaterThan(1.6)
      expect(found.loadMs).toBeCloseTo(62.5, 3)
      // 0.02 s of warm-up hold 10 queries; the stand-in makes as many as are asked for after that, of which the last 40 count.
      expect(found.warmupRuns).toBeGreaterThanOrEqual(10)
      expect(found.steady).toBeNull()
      expect(found.peakRssBytes).toBeGreaterThan(0)
      expect(found.tensorRt).toMatchObject({
        version: version === '7.1' ? '7 or older' : `${version}.2`,
        gpu: 'Orin',
        jetPack: '5.1.2',
        trtexec: join(bin(), 'trtexec'),
        buildSeconds: 1.5,
        copyInMs: 0.125,
        copyOutMs: 0.062,
        computeMs: 1.562,
      })
      expect(found.tensorRt?.warnings).toHaveLength(2)
      expect(found.tensorRt?.warnings[1]).toMatch(/^GPU compute time is unstable, .* = 2\.9%\. If not already in use/)
      expect(found.warnings).toContain(`TensorRT: ${found.tensorRt?.warnings[1]}`)
      expect(found.tensorRt?.options).toContain('--shapes=x:1x2')
      expect(found.tensorRt?.options).toContain('--optShapes=x:1x2')
      expect(found.tensorRt?.options.some((option) => option.includes(folder))).toBe(false)
      expect(engines()).toHaveLength(1)
      expect(found.tensorRt?.engineBytes).toBe(readFileSync(join(enginesFolder, engines()[0] as string)).length)
      // Nothing half-made, nothing in the system's folder for temporary files.
      expect(readdirSync(enginesFolder).filter((name) => name.startsWith('tmp-'))).toEqual([])
    },
  )

  it('measures for seconds, after the warm-up that was asked for', async () => {
    install({ version: '8.5', periodUs: 5000 })
    const found = await run({ seconds: 0.5, warmupRuns: 30, warmupSeconds: 0 })
    expect(found.samples).toBe(100)
    expect(found.warmupRuns).toBeGreaterThanOrEqual(30)
  })

  it('keeps the engine, one for each batch, and builds another for another TensorRT, GPU or JetPack', async () => {
    install({ version: '8.5' })
    const first = await run()
    const again = await run()
    expect([first.tensorRt?.buildSeconds, again.tensorRt?.buildSeconds]).toEqual([1.5, null])
    // What building warned of belongs to the engine.
    expect(again.tensorRt?.warnings).toEqual(first.tensorRt?.warnings)
    expect(builds()).toHaveLength(1)
    await run({ batch: 4, scenario: 'batch' })
    expect(builds().at(-1)?.operands).toContain('--optShapes=x:4x2')
    await run({ fp16: false })
    expect(builds()).toHaveLength(3)
    install({ version: '8.6' })
    await run()
    expect(builds()).toHaveLength(4)
    writeFileSync(join(root, 'etc/nv_tegra_release'), '# R35 (release), REVISION: 5.0, GCID: 1, BOARD: t186ref, EABI: aarch64\n')
    await run()
    writeFileSync(join(root, 'proc/device-tree/model'), 'NVIDIA Jetson AGX Orin\0')
    expect((await run()).tensorRt?.buildSeconds).toBe(1.5)
    expect(builds()).toHaveLength(6)
    expect(engines()).toHaveLength(6)
    // Timings of kernels are shared by the models of one GPU, TensorRT and JetPack: three of those were built with.
    const caches = readdirSync(enginesFolder).filter((name) => name.endsWith('.timing'))
    expect(caches.map((name) => readFileSync(join(enginesFolder, name), 'utf8').trim().split('\n').length).sort()).toEqual([1, 1, 1, 3])
  })

  it('builds an engine once more that does not load, or is not whole', async () => {
    install({ version: '8.5' })
    await run()
    const path = join(enginesFolder, engines()[0] as string)
    const size = readFileSync(path).length
    writeFileSync(path, 'x'.repeat(size))
    expect((await run()).tensorRt?.buildSeconds).toBe(1.5)
    truncateSync(path, 3)
    expect((await run()).tensorRt?.buildSeconds).toBe(1.5)
    expect(builds()).toHaveLength(3)
  })

  it('builds once when two ask at the same time, and does not wait for a process that is gone', async () => {
    install({ version: '8.5', buildSeconds: 0.5 })
    const both = await Promise.all([run(), run()])
    expect(builds()).toHaveLength(1)
    expect(both.map(({ tensorRt }) => tensorRt?.buildSeconds).sort()).toEqual([1.5, null])
    const key = (engines()[0] as string).replace('.engine', '')
    rmSync(join(enginesFolder, `${key}.json`))
    writeFileSync(join(enginesFolder, `${key}.lock`), '999999999 12345')
    writeFileSync(join(enginesFolder, 'tmp-999999999-x.engine'), 'half')
    await run()
    expect(builds()).toHaveLength(2)
    expect(readdirSync(enginesFolder).filter((name) => /\.lock|^tmp-/.test(name))).toEqual([])
  })

  it('kills trtexec when it is cancelled, and leaves nothing half-made', async () => {
    install({ version: '8.5', buildSeconds: 15 })
    const abort = new AbortController()
    const running = run({}, { signal: abort.signal })
    running.catch(() => undefined)
    while (trtexecCalls(bin()).length === 0) await delay(20)
    const pid = trtexecCalls(bin())[0]?.pid as number
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(readdirSync(enginesFolder)).toEqual([])
  })

  it('does not outlive the process that started it', async () => {
    install({ version: '8.5', buildSeconds: 15 })
    const source = join(import.meta.dirname, '../../../src/engine/measure/tensorrt-process.ts')
    const script = `import { startWatched } from ${JSON.stringify(source)}
      const program = startWatched(${JSON.stringify(join(bin(), 'trtexec'))}, ['--onnx=${model}', '--saveEngine=${join(folder, 'x')}'], { environment: process.env, onLine: () => {} })
      await program.ended`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
    while (trtexecCalls(bin()).length === 0) await delay(20)
    const pid = trtexecCalls(bin())[0]?.pid as number
    child.kill('SIGKILL')
    for (let waited = 0; existsSync(`/proc/${pid}`) && waited < 5000; waited += 20) await delay(20)
    expect(existsSync(`/proc/${pid}`)).toBe(false)
  })
})

describe('a benchmark with TensorRT that cannot be', () => {
  it('says where trtexec was looked for', async () => {
    await expect(run()).rejects.toMatchObject({ code: 'TENSORRT_MISSING', message: expect.stringContaining('/usr/src/tensorrt/bin') })
    mkdirSync(bin(), { recursive: true })
    const program = join(bin(), 'trtexec')
    writeFileSync(
      program,
      '#!/bin/sh\necho "trtexec: error while loading shared libraries: libnvinfer.so.8: cannot open shared object file" >&2\nexit 127\n',
    )
    chmodSync(program, 0o755)
    await expect(run()).rejects.toMatchObject({ code: 'TENSORRT_MISSING', hint: expect.stringContaining('libnvinfer.so.8') })
  })

  it('tells what the parser does not know', async () => {
    install({ version: '10.3', fail: 'build', failOp: 'GridSample' })
    const lines: string[] = []
    await expect(run({}, { log: (text) => void lines.push(text) })).rejects.toMatchObject({
      code: 'TENSORRT_FAILED',
      message: expect.stringContaining('While parsing node number 3 [GridSample'),
      hint: expect.stringContaining('GridSample'),
      details: { operators: ['GridSample'], code: 1 },
    })
    expect(lines.some((line) => line.includes('Failed to parse onnx file'))).toBe(true)
    expect(readdirSync(enginesFolder)).toEqual([])
  })

  it('tells that memory was short, that no engine came, that timing failed', async () => {
    install({ version: '8.5', fail: 'memory' })
    await expect(run()).rejects.toMatchObject({ code: 'TENSORRT_FAILED', hint: expect.stringContaining('memory') })
    install({ version: '8.5', fail: 'nothing' })
    await expect(run()).rejects.toMatchObject({ code: 'TENSORRT_FAILED', message: expect.stringContaining('there is none') })
    install({ version: '8.5', fail: 'timing' })
    await expect(run()).rejects.toMatchObject({ code: 'TENSORRT_FAILED', message: expect.stringContaining('illegal memory access') })
  })

  it('refuses models for other targets before anything is built, scenarios and threads', async () => {
    install({ version: '8.5' })
    const path = join(folder, 'other.onnx')
    const shape = ['N', 2]
    const bytes = encodeModel(
      makeModel({
        nodes: [makeNode('DynamicQuantizeLinear', ['x'], ['y', 's', 'z'])],
        inputs: [makeValueInfo('x', 'float32', shape)],
        outputs: [makeValueInfo('y', 'uint8', shape)],
      }),
    )
    writeFileSync(path, bytes)
    await expect(run({}, { path })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED_OP',
      message: expect.stringContaining('DynamicQuantizeLinear'),
      hint: expect.stringContaining('--target tensorrt'),
    })
    await expect(run({ scenario: 'offline' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('single and batch'),
    })
    await expect(run({ threads: 2 })).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('threads') })
    expect(trtexecCalls(bin())).toEqual([])
    forgetTrtexecCalls(bin())
  })
})
