import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelProto } from 'onnx-buf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Progress } from '../../../src/contract/job.ts'
import type { Target } from '../../../src/contract/names.ts'
import { calibratorSchema, fp16StepSchema, optimizeSummarySchema, type RecipeStep } from '../../../src/contract/recipe.ts'
import { makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { StaticQuantization } from '../../../src/core/quantization/static-quantization.ts'
import type { CalibrationFeeds } from '../../../src/engine/optimize/calibration-feeds.ts'
import { makeBuild } from '../../../src/engine/optimize/make-build.ts'
import { optimizeModel } from '../../../src/engine/optimize/optimize.ts'
import { withoutUnfused } from '../../../src/engine/optimize/static-step.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, opCounts, step, weights } from './small-models.ts'

const image = ['N', 4, 8, 8]

function network(): ModelProto {
  const nodes = [
    makeNode('Conv', ['x', 'cw', 'cb'], ['h'], { pads: [1, 1, 1, 1] }, { name: 'conv' }),
    makeNode('Relu', ['h'], ['r'], {}, { name: 'relu' }),
    makeNode('Flatten', ['r'], ['f'], {}, { name: 'flatten' }),
    makeNode('Gemm', ['f', 'gw', 'gb'], ['logits'], {}, { name: 'fc' }),
    makeNode('Softmax', ['logits'], ['y'], {}, { name: 'softmax' }),
  ]
  const initializers = [weights('cw', [8, 4, 3, 3]), weights('cb', [8]), weights('gw', [512, 10]), weights('gb', [10])]
  const built = model(image, nodes, initializers, { y: ['N', 10] })
  built.metadataProps.push({ $typeName: 'onnx.StringStringEntryProto', key: 'licence', value: 'MIT' })
  built.producerName = 'a trainer'
  return built
}

const source = network()
const bytes = encodeModel(source)
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')
const calibrationSource = { format: 'npz', name: 'photos', files: [{ role: 'samples', path: '/nowhere.npz' }], preprocessing: {} } as const

async function build(recipe: readonly RecipeStep[], options: { target?: Target; calibration?: CalibrationFeeds; of?: Uint8Array } = {}) {
  const progress: Progress[] = []
  const { target = 'x64', calibration, of = bytes } = options
  const request = {
    modelName: 'network',
    recipe: [...recipe],
    target,
    calibration: calibration ? { ...calibrationSource, files: [...calibrationSource.files] } : null,
    edgesmithVersion: '1.2.3',
    lineage: ['how the source was made'],
  }
  const made = await makeBuild(of, request, { calibration }, onnxRuntime, { progress: (entry) => progress.push(entry), log: () => {} })
  return { ...made, built: decodeModel(made.bytes, 'build'), phases: [...new Set(progress.map(({ phase }) => phase))], progress }
}

describe('makeBuild', () => {
  it('quantizes statically, verified on the calibration samples, with its lineage', async () => {
    const calibration = feedsOf(source, 40)
    const { summary, built, phases, progress, bytes: output } = await build([step('int8-static')], { calibration })
    expect(optimizeSummarySchema.parse(summary)).toEqual(summary)
    expect(summary).toMatchObject({
      input: { sizeBytes: bytes.length, sha256: sha256(bytes) },
      output: { sizeBytes: output.length, sha256: sha256(output) },
      steps: [{ recipe: 'int8-static' }],
      target: 'x64',
      quantizedNodes: 3,
      fusedNodes: 3,
      sparsity: null,
      calibrationSamples: 40,
      warnings: [],
      fidelity: { samples: 32, inputs: 'calibration' },
    })
    expect(summary.fidelity.sqnrDb).toBeGreaterThan(30)
    expect(summary.skipped.map(({ node }) => node)).toEqual(['softmax'])
    expect(summary.peakRssBytes).toBeGreaterThan(10_000_000)
    expect(phases).toEqual([
      'preparing',
      'calibrating',
      'quantizing',
      'choosing calibrator',
      'comparing tensors',
      'verifying',
      'counting kernels',
    ])
    // Of 40 samples ten are held back to judge the calibrators on.
    expect(progress).toContainEqual({ phase: 'calibrating', done: 30, total: 30, unit: 'samples' })
    expect(summary.phases.map(({ phase }) => phase)).toEqual(phases)
    expect(summary.phases.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBeLessThanOrEqual(summary.durationMs)
    expect(new Set(summary.calibratorTrials.map(({ calibrator }) => calibrator))).toEqual(new Set(calibratorSchema.options))
    expect(summary.calibratorTrials.filter(({ biasCorrection }) => !biasCorrection)).toHaveLength(2)
    const decibels = summary.calibratorTrials.map(({ sqnrDb }) => sqnrDb!)
    expect(decibels).toEqual([...decibels].sort((a, b) => b - a))
    expect(summary.calibrator).toBe(summary.calibratorTrials[0]?.calibrator)
    expect(summary.weights).toHaveLength(2)
    expect(summary.tensors.length).toBeGreaterThan(2)
    for (const { localSqnrDb, saturated, values } of summary.tensors) {
      expect(localSqnrDb ?? 99).toBeGreaterThan(25)
      expect(saturated).toBeLessThan(values / 100)
    }
    const metadata = Object.fromEntries(built.metadataProps.map(({ key, value }) => [key, value]))
    expect(metadata.licence).toBe('MIT')
    expect(built.producerName).toBe('a trainer')
    expect(JSON.parse(metadata['edgesmith.lineage']!)).toEqual({
      source: { name: 'network', sha256: sha256(bytes) },
      history: ['how the source was made'],
      recipe: [step('int8-static')],
      target: 'x64',
      tool: { name: 'edgesmith', version: '1.2.3', onnxRuntime: '1.30.0' },
      calibration: { dataset: 'photos', samples: 40 },
    })
  })

  it('quantizes a model whose weights are listed as inputs, as old exporters do', async () => {
    const listed = network()
    const inputs = listed.graph?.initializer.map(({ name, dims }) => makeValueInfo(name, 'float32', dims.map(Number))) ?? []
    listed.graph?.input.push(...inputs)
    const calibration = feedsOf(source, 40)
    const { summary, built } = await build([step('int8-static')], { calibration, of: encodeModel(listed) })
    expect(summary).toMatchObject({ quantizedNodes: 3, fusedNodes: 3 })
    expect(summary.warnings).toContain('4 weights were also inputs that a caller could override; in the build they are constants.')
    expect(built.graph?.input.map(({ name }) => name)).toEqual(['x'])
  })

  it('gives the same bytes for the same request', async () => {
    const calibration = feedsOf(source, 8)
    const [first, second] = [await build([step('int8-static')], { calibration }), await build([step('int8-static')], { calibration })]
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0)
  })

  it('quantizes dynamically without data: verified on generated inputs', async () => {
    const { summary } = await build([step('int8-dynamic')])
    expect(summary).toMatchObject({ quantizedNodes: 1, fusedNodes: 1, calibrationSamples: 0, fidelity: { inputs: 'generated' } })
    expect(summary.fidelity.sqnrDb).toBeGreaterThan(30)
    expect(summary.warnings).toEqual([expect.stringContaining('leaves 1 convolution in float32')])
  })

  it('converts to float16 and says what that is good for', async () => {
    const { summary } = await build([step('fp16')])
    expect(summary.output.sizeBytes / summary.input.sizeBytes).toBeLessThan(0.6)
    expect(summary).toMatchObject({ quantizedNodes: 5, fusedNodes: 0 })
    expect(summary.warnings).toEqual([expect.stringContaining('smaller, not faster')])
    expect((await build([step('fp16')], { target: 'tensorrt' })).summary.warnings).toEqual([])
  })

  it('keeps an operator in float32 that turns out to have no float16 form', async () => {
    // IsInf takes float16 from opset 20 on only; nothing but loading tells.
    const nodes = [
      makeNode('Mul', ['x', 'k'], ['m'], {}, { name: 'mul' }),
      makeNode('IsInf', ['m'], ['i'], {}, { name: 'isinf' }),
      makeNode('Where', ['i', 'k', 'm'], ['y'], {}, { name: 'where' }),
    ]
    const odd = encodeModel(model(['N', 4], nodes, [constant('k', [1], [2])], { y: ['N', 4] }))
    const { summary } = await build([step('fp16')], { of: odd })
    expect(summary.skipped).toEqual([{ node: 'isinf', op: 'IsInf', reason: expect.stringContaining('no float16 form') }])
    expect(summary.quantizedNodes).toBe(2)
  })

  it('keeps in float32 what is beyond float16 on the samples', async () => {
    const nodes = [
      makeNode('Mul', ['x', 'k'], ['m'], {}, { name: 'mul' }),
      makeNode('Mul', ['m', 'k'], ['s'], {}, { name: 'square' }),
      makeNode('Div', ['s', 'k'], ['d'], {}, { name: 'div' }),
      makeNode('Tanh', ['d'], ['y'], {}, { name: 'tanh' }),
    ]
    const large = model(['N', 64], nodes, [constant('k', [1], [20_000])], { y: ['N', 64] })
    const { summary } = await build([step('fp16')], { of: encodeModel(large), calibration: feedsOf(large) })
    expect(summary.skipped.map(({ node, reason }) => [node, reason.includes('beyond float16')])).toEqual([
      ['square', true],
      ['div', true],
    ])
  })

  it('says when nothing got smaller', async () => {
    const everything = ['Conv', 'Gemm']
    const { summary } = await build([fp16StepSchema.parse({ recipe: 'fp16', exclude: everything })])
    expect(summary.output.sizeBytes).toBeGreaterThan(bytes.length * 0.95)
    expect(summary.warnings).toContainEqual(expect.stringContaining('not smaller than its source'))
  })

  it('prunes exactly the share asked for, and then quantizes', async () => {
    const calibration = feedsOf(source, 8)
    const { summary, built } = await build([step('prune-magnitude', { sparsity: 0.3 }), step('int8-static')], { calibration })
    const total = 8 * 4 * 9 + 5120
    expect(summary.sparsity).toBe(Math.round(0.3 * total) / total)
    expect(summary.steps.map(({ recipe }) => recipe)).toEqual(['prune-magnitude', 'int8-static'])
    expect(summary.warnings).toEqual([expect.stringContaining('not faster'), expect.stringContaining('8 samples only')])
    expect(opCounts(built).QuantizeLinear).toBeGreaterThan(0)
  })

  it.each(['x64', 'x64-vnni', 'arm64', 'arm64-dotprod', 'tensorrt'] as const)('makes a usable int8 build for %s', async (target) => {
    const { summary } = await build([step('int8-static')], { target, calibration: feedsOf(source, 8) })
    expect(summary.fidelity.sqnrDb).toBeGreaterThan(30)
    expect(summary.fusedNodes).toBe(target === 'tensorrt' ? 0 : 3)
    // What is made for other processors must not be judged by this one.
    const saturates = summary.warnings.some((warning) => warning.includes('saturate'))
    expect(saturates).toBe(process.arch === 'x64' && target !== 'x64' && target !== 'tensorrt')
  })
})

it('warns when the outputs are far from the source', async () => {
  const { summary } = await build([step('prune-magnitude', { sparsity: 0.97 })], { calibration: feedsOf(source, 4) })
  expect(summary.warnings).toContainEqual(expect.stringMatching(/far from the source model's \(-?[\d.]+ dB/))
})

describe('refusals', () => {
  it.each([
    { what: 'int8-static without data', recipe: [step('int8-static')], code: 'CALIBRATION_NEEDED' },
    { what: 'quantizing twice', recipe: [step('int8-dynamic'), step('int8-dynamic')], code: 'RECIPE_NOT_APPLICABLE' },
    { what: 'float16 after int8', recipe: [step('int8-dynamic'), step('fp16')], code: 'RECIPE_NOT_APPLICABLE' },
    { what: 'pruning after int8', recipe: [step('int8-dynamic'), step('prune-magnitude')], code: 'RECIPE_NOT_APPLICABLE' },
    { what: 'everything excluded', recipe: [step('int8-dynamic', { exclude: ['Gemm'] })], code: 'RECIPE_NOT_APPLICABLE' },
  ])('$what: $code', async ({ recipe, code }) => {
    await expect(build(recipe)).rejects.toThrow(expect.objectContaining({ code }))
  })

  it('asks for data when no input can be made up', async () => {
    // Reshape to the rows that a table of 7 columns allows: no tried size fits.
    const nodes = [makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' }), makeNode('MatMul', ['z', 'w'], ['u'], {}, { name: 'n' })]
    const odd = model(['N', 'depth'], nodes.slice(0, 1), [weights('w', [7, 3])], { y: ['N', 3] })
    await expect(build([step('int8-dynamic')], { of: encodeModel(odd) })).rejects.toThrow(
      expect.objectContaining({ code: 'CALIBRATION_NEEDED' }),
    )
  })
})

describe('withoutUnfused', () => {
  it('takes back what the runtime leaves in float32, and what only that made worthwhile', async () => {
    const nodes = [
      makeNode('Conv', ['x', 'w1'], ['h'], {}, { name: 'c1' }),
      makeNode('MaxPool', ['h'], ['p'], { kernel_shape: [2, 2] }, { name: 'pool' }),
      makeNode('Conv', ['p', 'w2'], ['y'], {}, { name: 'c2' }),
    ]
    const chain = model(image, nodes, [weights('w1', [4, 4, 1, 1]), weights('w2', [4, 4, 1, 1])], { y: ['N', 4, 7, 7] })
    const quantization = await StaticQuantization.calibrated(chain, feedsOf(chain), onnxRuntime, {
      target: 'x64',
      perChannel: true,
      exclude: [],
    })
    const said: string[] = []
    let rounds = 0
    const runsInFloat = async () => new Set(rounds++ === 0 ? ['c1'] : [])
    const result = await withoutUnfused(quantization, runsInFloat, (text) => said.push(text))
    expect(result.build.quantized).toEqual(['c2'])
    expect(result.build.skipped).toEqual([{ node: 'c1', op: 'Conv', reason: expect.stringContaining('taken back to float32') }])
    expect([rounds, said.length]).toEqual([2, 1])
    // c2 now reads the pool's float output at the range measured for what it came from.
    const loaded = await onnxRuntime.load(encodeModel(result.build.model))
    await loaded.close()
  })
})

describe('optimizeModel', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgesmith-optimize-test-'))
    await writeFile(join(folder, 'network.onnx'), bytes)
  })
  afterEach(() => rm(folder, { recursive: true }))

  const request = (recipe: RecipeStep[], outPath: string) => ({
    command: 'optimize' as const,
    modelPath: join(folder, 'network.onnx'),
    modelName: 'network',
    recipe,
    target: 'x64' as const,
    calibration: null,
    samples: 100,
    budget: null,
    outPath,
    edgesmithVersion: '1.2.3',
    lineage: [],
  })
  const reporter = { progress: () => {}, log: () => {} }

  it('writes the build and nothing else', async () => {
    const summary = await optimizeModel(request([step('fp16')], join(folder, 'out.onnx')), onnxRuntime, reporter)
    expect((await readdir(folder)).sort()).toEqual(['network.onnx', 'out.onnx'])
    expect(sha256(await readFile(join(folder, 'out.onnx')))).toBe(summary.output.sha256)
  })

  it('replaces an older file at once', async () => {
    await writeFile(join(folder, 'out.onnx'), 'old')
    const summary = await optimizeModel(request([step('fp16')], join(folder, 'out.onnx')), onnxRuntime, reporter)
    expect((await readFile(join(folder, 'out.onnx'))).length).toBe(summary.output.sizeBytes)
  })

  it('leaves nothing behind when the recipe does not apply or the place cannot be written', async () => {
    await expect(optimizeModel(request([step('int8-static')], join(folder, 'out.onnx')), onnxRuntime, reporter)).rejects.toThrow(
      expect.objectContaining({ code: 'CALIBRATION_NEEDED' }),
    )
    await expect(optimizeModel(request([step('fp16')], join(folder, 'missing', 'out.onnx')), onnxRuntime, reporter)).rejects.toThrow(
      expect.objectContaining({ code: 'FILE_NOT_WRITABLE' }),
    )
    expect(await readdir(folder)).toEqual(['network.onnx'])
  })
})
