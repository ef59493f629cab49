import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engineResultSchemas } from '../../../src/contract/engine-protocol.ts'
import { decodeBase64 } from '../../../src/core/base64.ts'
import { decodeSample } from '../../../src/core/drift/feature-sketch.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { servingFacts } from '../../../src/engine/serving/serving-facts.ts'
import { plainArrays } from '../datasets/plain-arrays.ts'
import { linearModel, oneNodeModel } from '../measure/small-models.ts'

const silent = { progress: () => {}, log: () => {} }
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-serving-facts-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function stored(name: string, model: Uint8Array): string {
  const path = join(folder, `${name}.onnx`)
  writeFileSync(path, model)
  return path
}

/** Three scores: y = [a + b, 2a, 2b]. */
const scores = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])

/** `age` 20 to 60, `colour` one of three, as a table of two columns. */
function table(rows: number) {
  const random = seededRandom(7)
  const values = Float32Array.from({ length: rows * 2 }, (_, i) => (i % 2 === 0 ? 20 + random.below(41) : random.below(3)))
  const features = { name: 'features', type: 'float32' as const, shape: [rows, 2], bytes: new Uint8Array(values.buffer) }
  return plainArrays(folder, [features], {
    columns: [
      { name: 'age', kind: 'number', categories: null, missing: 0 },
      { name: 'colour', kind: 'category', categories: ['red', 'green', 'blue'], missing: 0 },
    ],
    preprocessing: { mean: [40, 0], std: [10, 1] },
  })
}

describe('what a release should know', () => {
  it('of a table: golden answers, a reference of drift after preprocessing, fields before it', async () => {
    const request = { command: 'serving-facts' as const, modelPath: stored('scores', scores), source: table(1500), threads: 1 }
    const facts = engineResultSchemas['serving-facts'].parse(await servingFacts(request, onnxRuntime, silent))
    expect(facts.notes).toEqual([])
    expect(facts.fields).toEqual([
      // 20 to 60, widened by 40 to each side.
      { input: 'x', index: 0, name: 'age', min: -20, max: 100 },
      { input: 'x', index: 1, name: 'colour', min: 0, max: 2 },
    ])
    const features = facts.driftReference?.features ?? []
    expect(features.map(({ name, source, kind }) => [name, source.kind, kind])).toEqual([
      ['age', 'input', 'numeric'],
      ['colour', 'input', 'categorical'],
      ['predicted class', 'class', 'categorical'],
      ['output y[0]', 'output', 'numeric'],
      ['output y[1]', 'output', 'numeric'],
      ['output y[2]', 'output', 'categorical'],
    ])
    expect(facts.driftReference?.rows).toBe(1500)
    const ages = decodeSample(features[0]?.sample ?? '')
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(-2)
    expect(Math.max(...ages)).toBeLessThanOrEqual(2)
    expect(facts.golden?.samples).toHaveLength(8)
    for (const { inputs, outputs } of facts.golden?.samples ?? []) {
      const [[a, b], y] = [floats(inputs[0]?.values ?? '') as [number, number], floats(outputs[0]?.values ?? '')]
      expect(y).toEqual([Math.fround(a + b), Math.fround(2 * a), Math.fround(2 * b)])
    }
  })

  it('gives no reference from too few samples, and says so', async () => {
    const request = { command: 'serving-facts' as const, modelPath: stored('few', scores), source: table(400), threads: 1 }
    const facts = await servingFacts(request, onnxRuntime, silent)
    expect(facts.driftReference).toBeNull()
    expect(facts.notes).toEqual(['Drift is not watched: that takes 1000 samples, these are 400.'])
    expect(facts.fields).toHaveLength(2)
  })

  it('without data: golden answers to made-up inputs; none for text and for NaN', async () => {
    const ask = (modelPath: string) => servingFacts({ command: 'serving-facts', modelPath, source: null, threads: 1 }, onnxRuntime, silent)
    const plain = await ask(stored('plain', scores))
    expect(plain.golden?.samples.length).toBeGreaterThan(0)
    expect(plain.golden?.tolerance).toBe(0.01)
    expect(plain.notes).toEqual([])
    const shape = { type: 'float32' as const, shape: ['N', 2] }
    const text = await ask(stored('text', oneNodeModel('Identity', { type: 'string', shape: ['N'] }, { type: 'string', shape: ['N'] })))
    expect(text.golden).toBeNull()
    expect(text.notes[0]).toMatch(/no golden answers/)
    // Made-up inputs are below 1, where it has no value.
    const nan = await ask(stored('nan', oneNodeModel('Acosh', shape, shape)))
    expect(nan.golden).toBeNull()
    expect(nan.notes[0]).toMatch(/^There are no golden answers: .*NaN or infinity/)
  })

  it('of data that a model answers with NaN: golden answers of the other samples, or a refusal where there are none', async () => {
    const shape = { type: 'float32' as const, shape: ['N', 2] }
    // Has no value below 1: none for the colour 0, and none at all for numbers whose sign was turned.
    const acosh = stored('acosh', oneNodeModel('Acosh', shape, shape))
    const ask = (scale: number) => {
      const source = table(400)
      const scaled = { ...source, preprocessing: { scale } }
      return servingFacts({ command: 'serving-facts', modelPath: acosh, source: scaled, threads: 1 }, onnxRuntime, silent)
    }
    const some = await ask(1)
    expect(some.golden?.samples).toHaveLength(8)
    expect(some.notes[0]).toMatch(/^Golden answers are made of other samples: \d+ of \d+ samples of .* are answered with NaN or infinity/)
    await expect(ask(-1)).rejects.toMatchObject({
      code: 'BUILD_VERIFICATION_FAILED',
      message: expect.stringMatching(/^Output "?y"? is NaN or infinite, all of it, for all 64 samples of /),
      hint: expect.stringContaining('65,504'),
      details: { output: 'y', samples: 64 },
    })
  })
})

function floats(text: string): number[] {
  const bytes = decodeBase64(text)
  return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)]
}
