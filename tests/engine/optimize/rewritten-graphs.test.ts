import * as fc from 'fast-check'
import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { CoreError } from '../../../src/core/core-error.ts'
import type { Port } from '../../../src/core/inference-runtime.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { validateModel } from '../../../src/core/onnx/validate.ts'
import { quantizeDynamic } from '../../../src/core/quantization/dynamic-quantization.ts'
import { convertToHalf, prepareForHalf } from '../../../src/core/quantization/half-precision.ts'
import { inferScopeFacts } from '../../../src/core/quantization/scope-facts.ts'
import { type StaticOptions, StaticQuantization } from '../../../src/core/quantization/static-quantization.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { graphOf, graphPlans } from './random-graphs.ts'
import { feedsOf } from './small-models.ts'

const RUNS = 60

async function half(source: ModelProto, keepIoTypes: boolean): Promise<ModelProto> {
  const prepared = prepareForHalf(source)
  const facts = await inferScopeFacts(new Graph(prepared), onnxRuntime)
  return convertToHalf(prepared, facts, { keepIoTypes, exclude: [] }).model
}

const portsOf = (ports: readonly Port[]) => ports.map(({ name, type }) => `${name} ${type}`)

/** Rewrites twice, checks and loads the result, runs it; the signal to noise of its outputs. `undefined`: there was nothing to rewrite. */
async function checked(source: ModelProto, rewrite: () => Promise<ModelProto>, keepsPorts = true): Promise<number | undefined> {
  const before = encodeModel(source)
  const written = await rewrite().catch((error) => {
    if (error instanceof CoreError && error.code === 'RECIPE_NOT_APPLICABLE') return undefined
    throw error
  })
  if (!written) return undefined
  const bytes = encodeModel(written)
  expect(Buffer.compare(encodeModel(await rewrite()), bytes), 'the same bytes twice').toBe(0)
  expect(Buffer.compare(encodeModel(source), before), 'the source is not changed').toBe(0)
  validateModel(decodeModel(bytes, 'the build'))
  const original = await onnxRuntime.load(before)
  for (const optimization of ['disabled', 'all'] as const) {
    const loaded = await onnxRuntime.load(bytes, { optimization })
    if (keepsPorts) {
      expect(portsOf(loaded.inputs)).toEqual(portsOf(original.inputs))
      expect(portsOf(loaded.outputs)).toEqual(portsOf(original.outputs))
    } else expect(loaded.outputs.map(({ name }) => name)).toEqual(original.outputs.map(({ name }) => name))
    await loaded.close()
  }
  await original.close()
  const { sqnrDb } = await verifyBuild(before, bytes, feedsOf(source, 2), 'x64', onnxRuntime)
  return sqnrDb ?? Number.POSITIVE_INFINITY
}

describe('whatever the graph', () => {
  it('float16 loads, keeps names and types, and computes nearly the same', async () => {
    let rewritten = 0
    await fc.assert(
      fc.asyncProperty(graphPlans, fc.boolean(), async (plan, keepIoTypes) => {
        const source = graphOf(plan)
        const sqnrDb = await checked(source, () => half(source, keepIoTypes), keepIoTypes)
        if (sqnrDb === undefined) return
        rewritten++
        expect(sqnrDb).toBeGreaterThan(20)
      }),
      { numRuns: RUNS },
    )
    expect(rewritten).toBeGreaterThan(RUNS / 2)
  })

  it('static 8 bits load, keep names and types, and compute much the same', async () => {
    const settings = fc.record({
      target: fc.constantFrom('x64', 'x64-vnni', 'arm64', 'arm64-dotprod', 'tensorrt'),
      perChannel: fc.boolean(),
      biasCorrection: fc.boolean(),
      symmetricActivations: fc.boolean(),
      calibrators: fc.constantFrom(['minmax'], ['percentile'], ['mse'], ['entropy'], ['moving-average']),
      weightScale: fc.constantFrom('auto', 'pair-safe', 'full-range', 'reduced-range'),
      exclude: fc.constantFrom([], ['Add'], ['Conv'], ['*1*']),
    } satisfies Record<string, fc.Arbitrary<unknown>>)
    let rewritten = 0
    await fc.assert(
      fc.asyncProperty(graphPlans, settings, async (plan, options) => {
        const source = graphOf(plan)
        const feeds = feedsOf(source, 4)
        const sqnrDb = await checked(source, async () => {
          const quantization = await StaticQuantization.calibrated(source, feeds, onnxRuntime, options as StaticOptions)
          return quantization.quantize().model
        })
        if (sqnrDb !== undefined) rewritten++
      }),
      { numRuns: RUNS },
    )
    expect(rewritten).toBeGreaterThan(RUNS / 3)
  })

  it('8 bits load, keep names and types, and compute much the same', async () => {
    let rewritten = 0
    await fc.assert(
      fc.asyncProperty(graphPlans, fc.boolean(), async (plan, perChannel) => {
        const source = graphOf(plan)
        const sqnrDb = await checked(
          source,
          async () => (await quantizeDynamic(source, onnxRuntime, { target: 'x64', perChannel, exclude: [] })).model,
        )
        if (sqnrDb !== undefined) rewritten++
      }),
      { numRuns: RUNS },
    )
    expect(rewritten).toBeGreaterThan(RUNS / 2)
  })
})
