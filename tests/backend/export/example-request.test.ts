import { describe, expect, it } from 'vitest'
import { exampleRequests } from '../../../src/backend/export/example-request.ts'
import type { ServedModelInfo } from '../../../src/backend/export/served-model.ts'
import { type ReleaseFile, releaseSchema } from '../../../src/contract/service.ts'
import { encodeBase64 } from '../../../src/core/base64.ts'
import { floatToHalf } from '../../../src/core/float16.ts'

function release(changes: Partial<ReleaseFile>) {
  return releaseSchema.parse({
    modelName: 'm',
    modelPath: 'model.onnx',
    modelSha256: '0'.repeat(64),
    preprocessing: {},
    labels: null,
    accuracy: null,
    latencyP50Ms: null,
    ...changes,
  })
}

type Input = ServedModelInfo['inputs'][number]

function served(...inputs: (Pick<Input, 'name' | 'type' | 'sent_shape'> & Partial<Input>)[]): ServedModelInfo {
  return {
    inputs: inputs.map((input) => ({ shape: ['N', ...input.sent_shape], sample_shape: input.sent_shape, fields: [], ...input })),
    outputs: [],
    batching: 'open',
    limits: { batch_samples: 10, body_bytes: 1000 },
    onnxruntime_version: '1',
  }
}

function golden(tensors: readonly [name: string, type: string, dims: number[], values: ArrayBufferView][]): ReleaseFile['golden'] {
  const inputs = tensors.map(([name, type, dims, { buffer, byteOffset, byteLength }]) => ({
    name,
    type,
    dims,
    values: encodeBase64(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)),
  }))
  return { samples: [{ inputs, outputs: [] }], tolerance: 0.1 }
}

describe('exampleRequests', () => {
  it('begins with a real sample, of every type that JSON shows, in the shape it has', () => {
    const sample = golden([
      ['x', 'float32', [1, 2, 2], Float32Array.of(0.1, -2, 3e9, 0)],
      ['h', 'float16', [1, 2], Uint16Array.of(floatToHalf(0.5), floatToHalf(0.1))],
      ['ids', 'int64', [1, 2], BigInt64Array.of(7n, -8n)],
      ['flag', 'bool', [1], Uint8Array.of(1)],
    ])
    const [first] = exampleRequests(release({ golden: sample }), served({ name: 'x', type: 'float32', sent_shape: [2, 2] }))
    expect(first).toEqual({
      inputs: {
        x: [
          [
            [0.1, -2],
            [3e9, 0],
          ],
        ],
        h: [[0.5, 0.099976]],
        ids: [[7, -8]],
        flag: [true],
      },
    })
    // As text they are the float32 they were.
    expect(Math.fround(0.1)).toBe(Float32Array.of(0.1)[0])
  })

  it('says that a real sample is preprocessed already where the service preprocesses', () => {
    const sample = golden([['x', 'float32', [1, 1], Float32Array.of(0.5)]])
    const [first] = exampleRequests(
      release({ golden: sample, preprocessing: { scale: 2 } }),
      served({ name: 'x', type: 'float32', sent_shape: [1] }),
    )
    expect(first).toEqual({ inputs: { x: [[0.5]] }, preprocessed: true })
  })

  it('gives values by name where they have names: real ones, or some in range', () => {
    const fields = [
      { name: 'age', index: 0, min: 18, max: 90 },
      { name: 'debt', index: 1, min: null, max: -5 },
      { name: 'income', index: 2, min: 10, max: null },
    ]
    const info = served({ name: 'x', type: 'float32', sent_shape: [3], fields })
    expect(exampleRequests(release({}), info)[0]).toEqual({ fields: { age: 54, debt: -5, income: 10 } })
    const sample = golden([['x', 'float32', [1, 3], Float32Array.of(20, -6, 11)]])
    expect(exampleRequests(release({ golden: sample }), info)[0]).toEqual({ fields: { age: 20, debt: -6, income: 11 } })
    // Real samples are stored preprocessed: their numbers are not those with names.
    expect(exampleRequests(release({ golden: sample, preprocessing: { mean: [1] } }), info)[0]).toEqual({
      fields: { age: 54, debt: -5, income: 10 },
    })
  })

  it('ends with zeros, empty text and false; sizes nobody knows are 1; giant inputs have none', () => {
    const info = served(
      { name: 'x', type: 'float32', sent_shape: [2, null] },
      { name: 't', type: 'string', sent_shape: [] },
      { name: 'b', type: 'bool', sent_shape: ['L'] },
    )
    expect(exampleRequests(release({}), info)).toEqual([{ inputs: { x: [[0], [0]], t: '', b: [false] } }])
    expect(exampleRequests(release({}), served({ name: 'x', type: 'float32', sent_shape: [3, 1000, 1000] }))).toEqual([])
  })
})
