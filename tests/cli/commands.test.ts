import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callCli } from './cli-call.ts'
import {
  benchDocument,
  compareDocument,
  errorDocument,
  evaluateDocument,
  explanationDocument,
  optimizeDocument,
  sensitivityDocument,
  sweepDocument,
} from './documents.ts'
import { ACCURACY, SAMPLES, type SmallFiles, writeSmallFiles } from './small-model.ts'

/** Enough for every number to be there, and no longer. */
const quick = ['--runs', '60', '--warmup-runs', '2', '--warmup-seconds', '0']

let folder: string
let files: SmallFiles
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-'))
  files = await writeSmallFiles(folder)
})
afterAll(() => rm(folder, { recursive: true }))

describe('inspect', () => {
  it('tells everything about a file, and does not keep it', async () => {
    const result = await edgesmith('inspect', 'small.onnx', '--json')
    expect(result).toMatchObject({ code: 0, stderr: '' })
    const report = result.json(z.looseObject({ name: z.string() }))
    expect(report).toMatchObject({
      name: 'small',
      kind: 'model',
      opset: 17,
      inputs: [{ name: 'x', type: 'float32', shape: ['N', 16] }],
      outputs: [{ name: 'logits', type: 'float32', shape: ['N', 4] }],
      nodeCount: 3,
      opCounts: { Gemm: 2, Relu: 1 },
      parameters: 16 * 32 + 32 + 32 * 4 + 4,
      sha256: createHash('sha256')
        .update(await readFile(files.model))
        .digest('hex'),
    })
    expect((await edgesmith('models', '--json')).json(z.object({ models: z.array(z.unknown()) })).models).toEqual([])
  })

  it('prints a table for people', async () => {
    const { code, stdout } = await edgesmith('inspect', files.model)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^input +x +float32 +N×16$/m)
    expect(stdout).toMatch(/^Gemm +2$/m)
  })
})

describe('optimize', () => {
  it('writes a build that carries its lineage, and keeps it in the workspace', async () => {
    const result = await edgesmith(
      'optimize',
      files.model,
      '--recipe',
      'int8-dynamic',
      '--out',
      'small-dynamic.onnx',
      '--name',
      'dynamic',
      '--json',
    )
    expect(result.code, result.stdout).toBe(0)
    const document = result.json(optimizeDocument)
    const bytes = await readFile(join(folder, 'small-dynamic.onnx'))
    expect(document.output).toEqual({
      path: join(folder, 'small-dynamic.onnx'),
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })
    expect(document.steps.map(({ recipe }) => recipe)).toEqual(['int8-dynamic'])
    // Built for this computer: the quick check has timed it beside its source.
    expect(document.speed).toMatchObject({ baselineMs: expect.any(Number), buildMs: expect.any(Number), findings: expect.any(Array) })
    expect(document.quantizedNodes).toBe(2)
    const inspected = (await edgesmith('inspect', 'dynamic', '--json')).json(z.looseObject({ metadata: z.record(z.string(), z.string()) }))
    expect(inspected).toMatchObject({ kind: 'build', recipe: [{ recipe: 'int8-dynamic', perChannel: true }] })
    expect(Object.values(inspected.metadata).join()).toContain('int8-dynamic')
  })

  it('calibrates on data, and takes settings', async () => {
    const args = [
      'optimize',
      files.model,
      '--recipe',
      'int8-static',
      '--calibration',
      files.unlabelled,
      '--samples',
      '40',
      '--set',
      'perChannel=false',
      '--calibrator',
      'percentile',
      '--no-speed-check',
    ]
    const result = await edgesmith(...args, '--name', 'static', '--json')
    expect(result.code, result.stdout).toBe(0)
    expect(result.json(optimizeDocument)).toMatchObject({
      output: { path: null },
      calibrationSamples: 40,
      calibrator: 'percentile',
      calibratorTrials: [],
      speed: null,
    })
    const inspected = (await edgesmith('inspect', 'static', '--json')).json(z.looseObject({}))
    expect(inspected).toMatchObject({ recipe: [{ calibrator: 'percentile', perChannel: false }] })
  })

  it('searches within an accuracy budget, checks it as a limit, and says what was left in float', async () => {
    const args = ['optimize', files.model, '--recipe', 'int8-static', '--calibration', files.unlabelled, '--samples', '40']
    const budget = ['--max-accuracy-drop', '0.05', '--data', files.labelled, '--calibrator', 'minmax', '--no-speed-check']
    const result = await edgesmith(...args, ...budget, '--name', 'static-budget', '--json')
    expect(result.code, result.stdout).toBe(0)
    const document = result.json(optimizeDocument)
    expect(document.mixedPrecision).toMatchObject({ maxDrop: 0.05, met: true, samples: SAMPLES })
    expect(document.mixedPrecision?.baseline).toBeCloseTo(ACCURACY, 9)
    expect(document.gates).toMatchObject([{ gate: 'max-accuracy-drop', passed: true }])
  })

  it('tells people times by phase, memory above idle and the worst tensors', async () => {
    const args = ['optimize', files.model, '--recipe', 'int8-static', '--calibration', files.unlabelled, '--samples', '40']
    const { code, stdout } = await edgesmith(...args, '--calibrator', 'minmax', '--target', 'arm64', '--name', 'static-arm')
    expect(code, stdout).toBe(0)
    expect(stdout).toMatch(/^phases +.*calibrating \d/m)
    expect(stdout).toMatch(/^calibrator +minmax$/m)
    expect(stdout).toMatch(/^peak memory +.* above idle$/m)
    expect(stdout).toMatch(/^Activations that suffer most:\ntensor +made by +against float/m)
    // Not built for this computer: its speed here says nothing.
    expect(stdout).not.toContain('Quick check')
  })

  it('exits 1 when a limit is missed, after printing the whole result', async () => {
    const args = ['optimize', files.model, '--recipe', 'prune-magnitude', '--set', 'sparsity=0.9', '--data', files.labelled]
    const result = await edgesmith(...args, '--max-accuracy-drop', '0.001', '--max-size-bytes', '100000000', '--name', 'pruned', '--json')
    expect(result.code, result.stdout).toBe(1)
    const document = result.json(optimizeDocument)
    expect(document.error?.code).toBe('GATE_FAILED')
    expect(document.gates?.map(({ gate, passed }) => [gate, passed])).toEqual([
      ['max-accuracy-drop', false],
      ['max-size-bytes', true],
    ])
  })

  it('names phases on standard error when it is no terminal', async () => {
    const { code, stdout, stderr } = await edgesmith('optimize', 'small', '--recipe', 'fp16')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^build +small fp16$/m)
    expect(stderr).toMatch(/^Make fp16 of small$/m)
    expect(stdout + stderr).not.toContain('\u001b')
  })
})

describe('sensitivity and explain', () => {
  it('ranks the nodes of a model, worst first', async () => {
    const args = ['sensitivity', files.model, '--calibration', files.unlabelled, '--data', files.labelled, '--samples', '20']
    const document = (await edgesmith(...args, '--json')).json(sensitivityDocument)
    expect(document).toMatchObject({ model: 'small', metric: 'accuracy' })
    expect(document.baseline).toBeCloseTo(ACCURACY, 9)
    expect(document.units.map(({ node }) => node).sort()).toEqual(['gemm_1', 'gemm_2'])
    const { code, stdout } = await edgesmith('sensitivity', 'small', '--calibration', files.unlabelled)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ *1 +gemm_[12] +Gemm +[\d.]+ dB/m)
  })

  it('explains the time of a build beside its source', async () => {
    const document = (await edgesmith('explain', 'small', 'dynamic', '--json')).json(explanationDocument)
    expect(document).toMatchObject({ baseline: 'small', model: 'dynamic', device: 'this-computer' })
    expect(document.nodes.length).toBeGreaterThan(0)
    const { code, stdout } = await edgesmith('explain', 'small', 'dynamic')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^dynamic (is|takes) .*\([\d.]+ ms against [\d.]+ ms\)\.$/m)
    expect(stdout).toMatch(/^Time by kernel:$/m)
  })
})

describe('evaluate', () => {
  it('finds the accuracy that is known, and the difference to a baseline', async () => {
    const result = await edgesmith('evaluate', 'pruned', '--data', files.labelled, '--baseline', files.model, '--json')
    expect(result.code, result.stdout).toBe(0)
    const document = result.json(evaluateDocument)
    expect(document.samples).toBe(SAMPLES)
    expect(document.baseline?.metrics.accuracy).toBeCloseTo(ACCURACY, 9)
    expect(document.difference?.accuracy).toBeCloseTo(document.metrics.accuracy - ACCURACY, 9)
  })

  it('takes preprocessing with a path, and refuses it with a saved dataset', async () => {
    // All inputs become equal: every answer is the same class, so accuracy falls to the share of that class.
    await writeFile(join(folder, 'flat.json'), '{"scale": 0}')
    const flat = await edgesmith('evaluate', 'small', '--data', files.labelled, '--preprocess', 'flat.json', '--json')
    expect(flat.json(evaluateDocument).metrics.accuracy).toBeLessThan(ACCURACY)
    const saved = await edgesmith('evaluate', 'small', '--data', 'labelled', '--preprocess', 'flat.json', '--json')
    expect(saved.code).toBe(2)
    expect(saved.json(errorDocument).error).toMatchObject({
      code: 'USAGE',
      message: 'The dataset "labelled" of the workspace carries its own preprocessing',
    })
  })
})

describe('bench', () => {
  it('measures one configuration', async () => {
    const result = await edgesmith('bench', 'small', ...quick, '--json')
    expect(result.code, result.stdout).toBe(0)
    const document = result.json(benchDocument)
    expect(document).toMatchObject({ samples: 60, settings: { batch: 1, threads: 1 } })
    expect(document.latencyMs.p95).not.toBeNull()
    expect(document.latencyMs.p99).toBeNull()
  })

  it('measures every combination of a sweep, and its limit holds for each', async () => {
    const result = await edgesmith('bench', 'small', '--batch', '1,4', '--threads', '1,2', ...quick, '--max-latency-ms', '1e-9', '--json')
    expect(result.code, result.stdout).toBe(1)
    const { runs } = result.json(sweepDocument)
    expect(runs.map(({ settings }) => [settings.batch, settings.threads])).toEqual([
      [1, 1],
      [1, 2],
      [4, 1],
      [4, 2],
    ])
    expect(result.json(z.looseObject({ error: z.object({ code: z.string() }), gates: z.array(z.unknown()).length(4) })).error.code).toBe(
      'GATE_FAILED',
    )
  })
})

describe('bench scenarios', () => {
  it('answer random requests, and say how they fared', async () => {
    const scenario = ['--scenario', 'server', '--rate', '400', '--runs', '80', '--warmup-runs', '2', '--warmup-seconds', '0']
    const result = await edgesmith('bench', 'small', ...scenario, '--json')
    expect(result.code, result.stdout).toBe(0)
    expect(result.json(z.looseObject({ load: z.looseObject({}), noise: z.looseObject({}) }))).toMatchObject({
      scenario: 'server',
      samples: 80,
      load: { offeredPerSecond: 400, errors: 0, overloaded: expect.any(Boolean) },
      noise: { label: expect.stringMatching(/^(quiet|noisy|throttled|unknown)$/) },
    })
    const { code, stdout } = await edgesmith('bench', 'small', ...scenario)
    expect(code, stdout).toBe(0)
    expect(stdout).toMatch(/^small on this-computer, scenario server$/m)
    expect(stdout).toMatch(/offered\/s +answered\/s +service p50/)
    expect(stdout).toMatch(/^machine +(quiet|noisy|throttled|unknown)$/m)
    expect(stdout).toMatch(/^steady +warm-up too short to tell$/m)
  })

  it('go through the REST server, end to end', async () => {
    const result = await edgesmith('bench', 'small', '--scenario', 'http', '--connections', '2', ...quick, '--json')
    expect(result.code, result.stdout).toBe(0)
    const found = result.json(benchDocument.extend({ load: z.looseObject({}) }))
    expect(found).toMatchObject({ samples: 60, load: { offeredPerSecond: null, errors: 0 } })
  })

  it('measure the usual batch sizes where none are given', async () => {
    const result = await edgesmith('bench', 'small', '--scenario', 'batch', ...quick, '--json')
    expect(result.code, result.stdout).toBe(0)
    const { runs } = result.json(sweepDocument)
    expect(runs.map(({ settings }) => settings.batch)).toEqual([1, 2, 4, 8, 16])
    expect(result.json(z.looseObject({ sweepId: z.uuid() })).sweepId).not.toBe('')
  })
})

describe('compare and report', () => {
  it('compares, writes a report, checks limits, and a report can be written again', async () => {
    const args = [
      'compare',
      files.model,
      'dynamic',
      'small-dynamic.onnx',
      '--data',
      files.labelled,
      ...quick,
      '--blocks',
      '2',
      '--report',
      'first.html',
    ]
    const result = await edgesmith(...args, '--max-accuracy-drop', '1', '--min-speedup', '1000', '--json')
    expect(result.code, result.stdout).toBe(1)
    const document = result.json(compareDocument)
    expect(document.baseline).toBe('small')
    expect(document.rows[0]).toMatchObject({ model: 'small', speedup: null })
    expect(document.rows[0]?.metrics?.accuracy).toBeCloseTo(ACCURACY, 9)
    // The written file is recognized as the build it is, and compared once.
    expect(document.rows.map(({ model }) => model)).toEqual(['small', 'dynamic'])
    expect(document.error).toMatchObject({ code: 'GATE_FAILED' })
    expect(new Set(document.gates?.map(({ gate, passed }) => `${gate} ${passed}`))).toEqual(
      new Set(['max-accuracy-drop true', 'min-speedup false']),
    )
    const page = await readFile(join(folder, 'first.html'), 'utf8')
    expect(document.report).toEqual({ path: join(folder, 'first.html'), sizeBytes: Buffer.byteLength(page) })
    expect(page).toContain(document.id)

    const runs = (await edgesmith('runs', '--json')).json(z.object({ comparisons: z.array(z.object({ id: z.string() })) })).comparisons
    expect(runs).toEqual([{ id: document.id }])
    const again = await edgesmith('report', document.id.slice(0, 8), 'latest', '--out', 'second.html', '--json')
    expect(again.code, again.stdout).toBe(0)
    expect(again.json(z.looseObject({}))).toMatchObject({ path: join(folder, 'second.html'), comparisons: [document.id] })

    // The job of a comparison stands for it, an evaluation for itself; its two benchmarks and evaluations come along.
    const [job] = (await edgesmith('jobs', '--json')).json(z.object({ jobs: z.array(z.object({ id: z.string(), kind: z.string() })) })).jobs
    expect(job?.kind).toBe('compare.start')
    for (const format of ['md', 'csv', 'json']) {
      const made = await edgesmith('report', job?.id ?? '', '--out', `out.${format}`, '--title', 'Mine', '--json')
      expect(made.code, made.stdout).toBe(0)
      expect(made.json(z.looseObject({}))).toMatchObject({ comparisons: [document.id], benchmarks: [], evaluations: [], analyses: [] })
    }
    expect(await readFile(join(folder, 'out.md'), 'utf8')).toMatch(/^# Mine\n/)
    expect(await readFile(join(folder, 'out.csv'), 'utf8')).toContain(`comparison,${document.id},dynamic,this-computer,`)
    const imported = await edgesmith('report', 'import', 'out.json', '--out', 'imported.csv')
    expect(imported.code, imported.stderr).toBe(0)
    expect(imported.stdout).toMatch(/^Imported "Mine" as [0-9a-f]{8}: 1 comparison, 2 benchmarks, 2 evaluations, 0 analyses$/m)
    expect(await readFile(join(folder, 'imported.csv'), 'utf8')).toBe(await readFile(join(folder, 'out.csv'), 'utf8'))
  })

  it('compares latency alone without data, for people', async () => {
    const { code, stdout } = await edgesmith('compare', 'small', 'dynamic', ...quick, '--blocks', '2')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^model +size +accuracy +difference +p-value +p50 +p95 +speed-up +95 % interval +verdict$/m)
    expect(stdout).toMatch(/^small .* baseline$/m)
    expect(stdout).toMatch(/^Report: edgesmith report [0-9a-f]{8} --out report\.html$/m)
  })
})

describe('serving on this computer', () => {
  const serviceAddress = z.object({ url: z.string(), token: z.string() })

  it('deploys, connects, stops, starts and removes', async () => {
    const deployed = await edgesmith('deploy', 'dynamic', '--device', 'this-computer', '--name', 'tiny', '--log-predictions', '1', '--json')
    expect(deployed.code, deployed.stdout).toBe(0)
    expect(deployed.json(z.looseObject({}))).toMatchObject({
      service: 'tiny',
      model: 'dynamic',
      state: 'running',
      connect: 'edgesmith connect tiny --device this-computer',
    })
    expect(deployed.stdout).not.toContain('token')

    const { url, token } = (await edgesmith('connect', 'tiny', '--json')).json(serviceAddress)
    expect((await fetch(`${url}/health`)).status).toBe(401)
    const answer = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: { x: new Array(16).fill(0.5) } }),
    })
    expect([answer.status, await answer.json()]).toMatchObject([200, expect.anything()])

    const out = join(folder, 'predictions.csv')
    // They are written a second later.
    await expect
      .poll(async () => (await edgesmith('predictions', 'tiny', '--out', out, '--json')).json(z.looseObject({ rows: z.number() })).rows, {
        timeout: 30_000,
      })
      .toBe(1)
    const [head, row] = (await readFile(out, 'utf8')).split('\n')
    expect(head).toMatch(/^time,request_id,version,latency_ms,class,confidence,input\.x\[0\],/)
    expect(row?.split(',').slice(6, 22)).toEqual(new Array(16).fill('0.5'))
    expect((await edgesmith('predictions', 'tiny', '--out', join(folder, 'predictions.txt'), '--json')).code).toBe(2)

    const status = async (command: string) => (await edgesmith(command, 'tiny', '--json')).json(z.looseObject({ state: z.string() })).state
    expect(await status('status')).toBe('running')
    expect((await edgesmith('logs', 'tiny', '--lines', '20', '--json')).json(z.object({ text: z.string() })).text).not.toBe('')
    expect(await status('stop')).toBe('stopped')
    await expect(fetch(`${url}/health`)).rejects.toThrow()
    expect(await status('start')).toBe('running')
    expect(
      (await edgesmith('deployments', '--json')).json(z.object({ deployments: z.array(z.looseObject({})) })).deployments,
    ).toMatchObject([{ service: 'tiny', device: 'this-computer' }])
    expect((await edgesmith('undeploy', 'tiny')).code).toBe(0)
    expect((await edgesmith('status', 'tiny', '--json')).json(errorDocument).error.code).toBe('NOT_FOUND')
  })

  it('deploys a second version, gives it a share, promotes it, rolls back, and makes keys that are shown once', async () => {
    const deploy = (...options: string[]) => edgesmith('deploy', ...options, '--device', 'this-computer', '--name', 'both', '--json')
    const document = z.looseObject({ release: z.string(), apiKeys: z.array(z.object({ name: z.string(), key: z.string() })).optional() })
    const versions = z.looseObject({ versions: z.array(z.looseObject({ release: z.string(), role: z.string(), weight: z.number() })) })
    const first = (await deploy(files.model, '--watch-seconds', '0', '--api-key', 'phone', '--rate-limit', '1000')).json(document)
    const key = first.apiKeys?.[0]?.key ?? expect.fail('no key')
    const { url } = (await edgesmith('connect', 'both', '--json')).json(serviceAddress)
    const ask = (secret: string) => fetch(`${url}/model_info`, { headers: { 'x-api-key': secret } })
    expect((await ask(key)).status).toBe(200)
    const stored = await edgesmith('deployments', '--json')
    expect(stored.stdout).toContain('phone')
    expect(stored.stdout).not.toContain(key)

    const second = (await deploy(files.model, '--threads', '2', '--weight', '25')).json(document)
    expect(second.apiKeys).toBeUndefined()
    expect((await ask(key)).status).toBe(200)
    const weighed = (await edgesmith('weight', 'both', second.release.slice(0, 6), '40', '--json')).json(versions)
    expect(weighed.versions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ release: first.release, role: 'current' }),
        expect.objectContaining({ release: second.release, role: 'beside', weight: 40 }),
      ]),
    )
    expect((await edgesmith('weight', 'both', second.release, '140', '--json')).code).toBe(2)
    const promoted = (await edgesmith('promote', 'both', 'small', '--json')).json(versions)
    expect(promoted.versions.find(({ role }) => role === 'current')).toMatchObject({ release: second.release })
    expect((await edgesmith('withdraw', 'both', first.release, '--json')).json(errorDocument).error.code).toBe('NOT_FOUND')
    const rolledBack = (await edgesmith('rollback', 'both', '--json')).json(versions)
    expect(rolledBack.versions.find(({ role }) => role === 'current')).toMatchObject({ release: first.release })
    const { stdout } = await edgesmith('status', 'both')
    expect(stdout).toMatch(/^state +running$/m)
    expect(stdout).toMatch(/^version +model +role +share/m)
    expect(stdout).toMatch(/rolled-back/)
    expect((await edgesmith('undeploy', 'both')).code).toBe(0)
  })

  it('changes nothing when a limit is missed, and keeps a release that failed to be looked at', async () => {
    const gated = (...limits: string[]) =>
      edgesmith('deploy', files.model, '--device', 'this-computer', '--name', 'gated', ...limits, '--json')
    const failed = z.looseObject({ deployed: z.literal(false), error: z.looseObject({ code: z.string() }) })
    expect((await gated('--max-size-bytes', '10')).json(failed)).toMatchObject({ error: { code: 'GATE_FAILED' } })
    expect((await edgesmith('status', 'gated', '--json')).json(errorDocument).error.code).toBe('NOT_FOUND')
    const slow = await gated('--max-latency-ms', '0.000001')
    expect(slow.code).toBe(1)
    expect(slow.json(failed)).toMatchObject({
      error: { code: 'DEPLOY_FAILED' },
      checks: expect.arrayContaining([expect.objectContaining({ name: 'latency', passed: false })]),
    })
    const status = await edgesmith('status', 'gated')
    expect(status.stdout).toMatch(/FAILED.*latency/s)
    expect((await edgesmith('undeploy', 'gated')).code).toBe(0)
    // An imported model that replaces nothing has nothing to lose.
    const wrong = await gated('--max-accuracy-drop', '0.01', '--data', files.labelled)
    expect({ code: wrong.code, error: wrong.json(errorDocument).error.code }).toEqual({ code: 2, error: 'USAGE' })
    expect((await gated('--system')).json(errorDocument).error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('--yes') })
  })
})

describe('bad input', () => {
  beforeAll(async () => {
    await writeFile(join(folder, 'text.onnx'), 'this is not a model')
    await writeFile(join(folder, 'cut.onnx'), (await readFile(files.model)).subarray(0, 900))
    await writeFile(join(folder, 'text.npz'), 'this is not a dataset')
  })

  it.each<[string, () => string[], string]>([
    ['a file that is no ONNX', () => ['inspect', 'text.onnx'], 'MODEL_NOT_ONNX'],
    ['a truncated model', () => ['inspect', 'cut.onnx'], 'MODEL_TRUNCATED'],
    ['a missing model', () => ['inspect', 'missing.onnx'], 'FILE_NOT_FOUND'],
    ['a folder', () => ['inspect', './'], 'FILE_UNREADABLE'],
    ['an unknown model name', () => ['inspect', 'smal'], 'NOT_FOUND'],
    ['an unknown device', () => ['bench', 'small', '--device', 'pi9'], 'NOT_FOUND'],
    ['an unknown service', () => ['stop', 'nobody'], 'NOT_FOUND'],
    ['an unknown comparison', () => ['report', 'ffffffff', '--out', 'x.html'], 'NOT_FOUND'],
    ['an unknown job', () => ['job', 'ffffffff'], 'NOT_FOUND'],
    ['what is no report', () => ['report', 'import', 'text.npz'], 'REPORT_INVALID'],
    ['a broken dataset', () => ['evaluate', 'small', '--data', 'text.npz'], 'DATASET_INVALID'],
    ['an empty dataset', () => ['evaluate', 'small', '--data', files.empty], 'DATASET_EMPTY'],
    ['an array of another name', () => ['evaluate', 'small', '--data', files.misnamed], 'DATASET_ARRAY_MISSING'],
    ['an array of another shape', () => ['evaluate', 'small', '--data', files.misshapen], 'DATASET_SHAPE'],
    ['labels beyond the classes', () => ['evaluate', 'small', '--data', files.outOfRange], 'DATASET_LABELS'],
    ['data without labels', () => ['evaluate', 'small', '--data', files.unlabelled], 'EVALUATION_IMPOSSIBLE'],
    ['no calibration', () => ['optimize', 'small', '--recipe', 'int8-static'], 'CALIBRATION_NEEDED'],
    ['neither a recipe nor all', () => ['optimize', 'small'], 'USAGE'],
    ['a setting of measuring without measuring', () => ['optimize', 'small', '--recipe', 'fp16', '--runs', '5'], 'USAGE'],
    ['a recipe beside all', () => ['optimize', 'small', '--compare-all', '--recipe', 'fp16'], 'USAGE'],
    ['a file that results cannot be', () => ['optimize', 'small', '--compare-all', '--out', 'results.csv'], 'USAGE'],
    ['a calibrator of nothing', () => ['optimize', 'small', '--recipe', 'fp16', '--calibrator', 'mse'], 'USAGE'],
    ['no samples to find ranges with', () => ['sensitivity', 'small'], 'USAGE'],
    ['one model beside itself', () => ['explain', 'small', 'small'], 'USAGE'],
    ['an unknown recipe', () => ['optimize', 'small', '--recipe', 'int9'], 'RECIPE_INVALID'],
    ['a folder that does not exist', () => ['optimize', 'small', '--recipe', 'fp16', '--out', 'no/where.onnx'], 'FILE_NOT_FOUND'],
    ['a report of another format', () => ['compare', 'small', 'dynamic', '--report', 'out.docx'], 'USAGE'],
    ['a server scenario without a rate', () => ['bench', 'small', '--scenario', 'server'], 'USAGE'],
    ['a gate without its data', () => ['compare', 'small', 'dynamic', '--max-accuracy-drop', '0.01'], 'USAGE'],
    ['a model compared with itself', () => ['compare', 'small', 'small'], 'USAGE'],
    ['a bad address', () => ['device', 'add', 'pi', 'pi'], 'USAGE'],
    ['a bad device name', () => ['device', 'add', 'My_Pi', 'pi@host'], 'USAGE'],
    ['a password on the command line', () => ['device', 'add', 'pi', 'pi@host', '--password-env', 'se cret'], 'USAGE'],
    [
      'a password variable that is not set',
      () => ['device', 'add', 'pi', 'pi@127.0.0.1:9', '--password-env', 'NOT_SET'],
      'PASSWORD_NEEDED',
    ],
    ['removing this computer', () => ['device', 'remove', 'this-computer'], 'USAGE'],
  ])('%s is a coded error, exit code 2', async (_name, args, code) => {
    const result = await edgesmith(...args(), '--json')
    const { error } = result.json(errorDocument)
    expect({ code: error.code, exit: result.code }).toEqual({ code, exit: 2 })
    expect(error.message.length).toBeGreaterThan(10)
  })

  it('leaves nothing in the workspace', async () => {
    const names = (await edgesmith('models', '--json'))
      .json(z.object({ models: z.array(z.object({ name: z.string() })) }))
      .models.map(({ name }) => name)
    expect(
      names.filter((name) => !['small', 'dynamic', 'static', 'static-budget', 'static-arm', 'pruned', 'small fp16'].includes(name)),
    ).toEqual([])
    expect(existsSync(join(folder, 'x.html'))).toBe(false)
  })

  it('says code, what happened and what to do to people', async () => {
    const { code, stdout, stderr } = await edgesmith('inspect', 'smal')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe('edgesmith: NOT_FOUND: There is no model "smal"\n  Did you mean "small"? edgesmith models lists what there is.\n')
  })

  it('lists the candidates when a name fits several, and takes the beginning of an id', async () => {
    for (const name of ['twin', 'TWIN']) expect((await edgesmith('optimize', 'small', '--recipe', 'fp16', '--name', name)).code).toBe(0)
    const { error } = (await edgesmith('inspect', 'Twin', '--json')).json(errorDocument)
    const { candidates } = z.object({ candidates: z.array(z.object({ id: z.string(), name: z.string() })) }).parse(error.details)
    expect(error).toMatchObject({ code: 'USAGE', message: '"Twin" fits 2 models' })
    expect(candidates.map(({ name }) => name)).toEqual(['TWIN', 'twin'])
    for (const { id, name } of candidates) {
      expect(error.hint).toContain(`${id} (${name},`)
      expect((await edgesmith('inspect', id.slice(0, 8), '--json')).json(z.looseObject({})).name).toBe(name)
    }
  })
})

describe('the workspace', () => {
  it('keeps workspaces apart', async () => {
    const other = await edgesmith('models', '--workspace', 'elsewhere', '--json')
    expect(other.json(z.object({ models: z.array(z.unknown()) })).models).toEqual([])
    expect(existsSync(join(folder, 'elsewhere'))).toBe(true)
  })

  it('makes no workspace for help and wrong usage', async () => {
    const options = { workspace: join(folder, 'untouched'), folder }
    expect((await callCli(['inspect', '--help'], options)).code).toBe(0)
    expect((await callCli(['inspect'], options)).code).toBe(2)
    expect((await callCli(['optimize', files.model, '--recipe', 'int9'], options)).code).toBe(2)
    expect(existsSync(options.workspace)).toBe(false)
  })

  it('lists what doctor checks', async () => {
    const result = await edgesmith('doctor', '--json')
    const document = result.json(z.object({ ok: z.boolean(), checks: z.array(z.object({ name: z.string(), status: z.string() })).min(2) }))
    expect(result.code).toBe(document.ok ? 0 : 1)
  })
})
