import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ensureRealModels } from '../../scripts/real-models/real-models.ts'
import type { Target } from '../../src/contract/names.ts'
import { optimizeSummarySchema, type RecipeStep } from '../../src/contract/recipe.ts'
import type { NamedTensors, Port } from '../../src/core/inference-runtime.ts'
import { decodeModel } from '../../src/core/onnx/model-file.ts'
import { validateModel } from '../../src/core/onnx/validate.ts'
import { type Build, makeBuild } from '../../src/engine/optimize/make-build.ts'
import { onnxRuntime } from '../../src/engine/runtimes/onnx-runtime.ts'
import { step } from '../engine/optimize/small-models.ts'
import type { RealModelCase } from './real-model-cases.ts'

/** A recipe to try on real models; one more is one more line. */
export interface TriedRecipe {
  readonly recipe: readonly RecipeStep[]
  readonly target: Target
}

const x64 = 'x64' as const
// One calibrator: the search for the best one has its own tests, and here it would take most of the time.
const staticStep = step('int8-static', { calibrator: 'minmax' })

export const TRIED: Readonly<Record<string, TriedRecipe>> = {
  fp16: { recipe: [step('fp16')], target: x64 },
  'fp16, weights only': { recipe: [step('fp16', { weightsOnly: true })], target: x64 },
  'int8-dynamic': { recipe: [step('int8-dynamic')], target: x64 },
  'int8-static for x64': { recipe: [staticStep], target: x64 },
  'int8-static for arm64': { recipe: [staticStep], target: 'arm64' },
  'int8-static for tensorrt': { recipe: [staticStep], target: 'tensorrt' },
  'int8-weights': { recipe: [step('int8-weights')], target: x64 },
  'int4-weights': { recipe: [step('int4-weights')], target: x64 },
  'prune-magnitude': { recipe: [step('prune-magnitude', { sparsity: 0.3, method: 'magnitude' })], target: x64 },
  'prune-channels': { recipe: [step('prune-channels', { amount: 0.2, refit: false })], target: x64 },
  opset: { recipe: [step('opset', { version: 21 })], target: x64 },
  'dynamic-batch': { recipe: [step('dynamic-batch')], target: x64 },
}

/** What is expected of a model. */
export interface Expectations {
  /** Recipes that this model is refused, with the code; all others give a build. */
  readonly refused: Readonly<Partial<Record<keyof typeof TRIED, string>>>
  /** Recipes whose second run is left out, to save time: that builds are the same each time is seen on the other models. */
  readonly once?: readonly (keyof typeof TRIED)[]
  /** Recipes that are not tried at all, to save time: with 300 nodes a static quantization takes ten seconds, and the other models have it. */
  readonly leftOut?: readonly (keyof typeof TRIED)[]
}

/** Declares the tests of a real model: a build that passes the strictest checks there are, or a refusal with a code. */
export function describeRealModel({ file, feeds }: RealModelCase, { refused, once = [], leftOut = [] }: Expectations): void {
  describe(file, () => {
    const source = ensureRealModels().then(async (paths) => new Uint8Array(await readFile(paths[file]!)))
    // Each test awaits it; a failure before the first one does must not end the process.
    source.catch(() => {})
    const build = async ({ recipe, target }: TriedRecipe): Promise<Build> =>
      makeBuild(
        await source,
        { modelName: file, recipe: [...recipe], target, calibration: null, edgesmithVersion: '0', lineage: [] },
        { calibration: feeds },
        onnxRuntime,
        { progress: () => {}, log: () => {} },
      )

    for (const [name, tried] of Object.entries(TRIED)) {
      if (leftOut.includes(name)) continue
      const code = refused[name]
      if (code) {
        it(`${name}: ${code}`, async () => {
          await expect(build(tried)).rejects.toThrow(expect.objectContaining({ code }))
        })
        continue
      }
      it(`${name}: a build that holds`, { timeout: 120_000 }, async () => {
        const { bytes, summary } = await build(tried)
        expect(optimizeSummarySchema.parse(summary)).toEqual(summary)
        validateModel(decodeModel(bytes, 'build'))
        // A batch made free is the one change of form that is wanted.
        await expectSameForm(await source, bytes, await feeds.read(0), name === 'dynamic-batch')
        if (!once.includes(name)) expect(Buffer.compare((await build(tried)).bytes, bytes)).toBe(0)
      })
    }
  })
}

/** Loads with every level of optimization, strictest first, and gives outputs of the source's names, types and shapes without NaN. */
async function expectSameForm(source: Uint8Array, build: Uint8Array, feed: NamedTensors, freeBatch: boolean): Promise<void> {
  const original = await onnxRuntime.load(source)
  const expected = await original.run(feed)
  await original.close()
  for (const optimization of ['disabled', 'basic', 'all'] as const) {
    const loaded = await onnxRuntime.load(build, { optimization })
    const form = (ports: readonly Port[]) => ports.map(({ name, type, shape }) => ({ name, type, ...(freeBatch ? {} : { shape }) }))
    expect(form(loaded.inputs)).toEqual(form(original.inputs))
    expect(loaded.outputs.map(({ name, type }) => [name, type])).toEqual(original.outputs.map(({ name, type }) => [name, type]))
    const found = await loaded.run(feed)
    await loaded.close()
    for (const [name, { type, dims, values }] of Object.entries(expected)) {
      expect({ type: found[name]?.type, dims: found[name]?.dims }).toEqual({ type, dims })
      if (!(values instanceof Float32Array) || !values.every(Number.isFinite)) continue
      expect((found[name]!.values as Float32Array).every(Number.isFinite), `${name} is finite with optimization ${optimization}`).toBe(true)
    }
  }
}
