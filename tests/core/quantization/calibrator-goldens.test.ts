import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { decodeModel } from '../../../src/core/onnx/model-file.ts'
import { CalibrationStatistics } from '../../../src/core/quantization/calibration/calibration-statistics.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

type Ranges = Readonly<Record<string, readonly [number, number]>>

interface Goldens {
  readonly samples: readonly (readonly number[])[]
  readonly bins: number
  readonly minmax: Ranges
  readonly percentile: readonly { readonly percentile: number; readonly symmetric: boolean; readonly ranges: Ranges }[]
}

const fixtures = new URL('fixtures/', import.meta.url)

it('chooses the ranges of ONNX Runtime’s Python calibrators, percentiles as closely as their bins are wide', async () => {
  const model = decodeModel(await readFile(new URL('conv-net.onnx', fixtures)), 'conv-net.onnx')
  const goldens = JSON.parse(await readFile(new URL('calibrator-goldens.json', fixtures), 'utf8')) as Goldens
  const samples = {
    feeds: goldens.samples.length,
    read: async (index: number) => ({
      x: { type: 'float32' as const, dims: [1, 3, 6, 6], values: Float32Array.from(goldens.samples[index]!) },
    }),
  }
  const tensors = Object.keys(goldens.minmax)
  expect(tensors).toHaveLength(10)
  const statistics = await CalibrationStatistics.collect(model, tensors, samples, onnxRuntime, { histograms: true })

  const how = { type: 'uint8', symmetric: false, percentile: 100 } as const
  for (const tensor of tensors) {
    const [min, max] = goldens.minmax[tensor]!
    expect(statistics.range(tensor, 'minmax', how), tensor).toEqual({ min, max })
    // Their bins lie over −T to T, over 0 to T for magnitudes.
    const widest = Math.max(-min, max)
    for (const { percentile, symmetric, ranges } of goldens.percentile) {
      const ours = statistics.range(tensor, 'percentile', { type: 'int8', symmetric, percentile })!
      const [low, high] = ranges[tensor]!
      // Each side may be off by a bin of its own; ours are at least 4096 over the range.
      const apart = ((symmetric ? 1 : 2) * widest) / goldens.bins + (2 * widest) / 4096
      const label = `${tensor}, ${percentile} %, symmetric ${symmetric}`
      expect(Math.abs(ours.min - low), label).toBeLessThanOrEqual(apart)
      expect(Math.abs(ours.max - high), label).toBeLessThanOrEqual(apart)
    }
  }
})
