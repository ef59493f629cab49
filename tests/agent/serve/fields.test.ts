import { describe, expect, it } from 'vitest'
import type { ServiceConfigFile } from '../../../src/contract/service.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { identityModel, multiInputModel } from '../../engine/measure/small-models.ts'
import { testService } from '../service-fixture.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const model = identityModel('N', [3])
const fields = [
  { input: 'x', index: 0, name: 'age', min: 0, max: 120 },
  { input: 'x', index: 2, name: 'height', min: 0.1 },
  { input: 'x', index: 1, name: 'balance' },
] satisfies ServiceConfigFile['fields']

describe('named fields', () => {
  it('are samples by name, in any order', async () => {
    const { send } = await start(model, { fields })
    const sample = { height: 1.5, age: 41, balance: -7 }
    expect((await send('/predict', { body: { fields: sample } })).body.outputs.y).toEqual([41, -7, 1.5])
    const batch = await send('/predict/batch', { body: { fields: [sample, { ...sample, age: 42 }] } })
    expect(batch.body.results.map(({ outputs }: { outputs: { y: number[] } }) => outputs.y[0])).toEqual([41, 42])
    expect((await send('/model_info')).body.inputs[0].fields).toEqual([
      { name: 'age', index: 0, min: 0, max: 120 },
      { name: 'height', index: 2, min: 0.1, max: null },
      { name: 'balance', index: 1, min: null, max: null },
    ])
  })

  it('are preprocessed like other values, and belong to several inputs', async () => {
    const { send } = await start(model, { fields, preprocessing: { scale: 2 } })
    expect((await send('/predict', { body: { fields: { height: 1, age: 100, balance: 3 } } })).body.outputs.y).toEqual([200, 6, 2])
    const both = encodeModel(
      makeModel({
        nodes: [makeNode('Concat', ['a', 'b'], ['y'], { axis: 1 })],
        inputs: [makeValueInfo('a', 'float32', ['N', 1]), makeValueInfo('b', 'float32', ['N', 2])],
        outputs: [makeValueInfo('y', 'float32', ['N', 3])],
      }),
    )
    const names = [
      { input: 'a', index: 0, name: 'first' },
      { input: 'b', index: 0, name: 'second' },
      { input: 'b', index: 1, name: 'third' },
    ]
    const several = await start(both, { fields: names })
    expect((await several.send('/predict', { body: { fields: { third: 3, first: 1, second: 2 } } })).body.outputs.y).toEqual([1, 2, 3])
    // Names for some values only: those have ranges, but a sample cannot be given by them.
    const some = await start(both, { fields: names.slice(1) })
    expect((await some.send('/predict', { body: { fields: { third: 3, second: 2 } } })).body.error.message).toBe(
      'The body has the unknown field "fields".',
    )
  })

  it('say what is wrong by name', async () => {
    const { send } = await start(model, { fields })
    const sample = { height: 1.5, age: 41, balance: -7 }
    const cases: [unknown, number, string, string][] = [
      [{ fields: { height: 1, age: 2 } }, 422, 'INVALID_INPUT', 'fields.balance is missing.'],
      [{ fields: { ...sample, weight: 70 } }, 422, 'INVALID_INPUT', 'fields has "weight", which is no field of the model.'],
      [{ fields: { ...sample, age: 'old' } }, 422, 'INVALID_INPUT', 'fields.age must be a number, found the string "old".'],
      [{ fields: { ...sample, age: null } }, 422, 'INVALID_INPUT', 'fields.age must be a number, found null.'],
      [{ fields: { ...sample, age: [41] } }, 422, 'INVALID_INPUT', 'fields.age must be one value, found a list of shape [1].'],
      ['{"fields":{"height":1e999,"age":1,"balance":1}}', 422, 'INVALID_INPUT', 'fields.height must be a number, found Infinity.'],
      [{ fields: { ...sample, age: 121 } }, 422, 'OUT_OF_RANGE', 'fields.age must be at most 120, found 121.'],
      [{ fields: { ...sample, age: -1 } }, 422, 'OUT_OF_RANGE', 'fields.age must be at least 0, found -1.'],
      [{ fields: [sample] }, 400, 'INVALID_REQUEST', 'fields must be an object, found a list of shape [1].'],
      [{ fields: sample, input: [1, 2, 3] }, 400, 'INVALID_REQUEST', 'The body must have one of "inputs", "input" and "fields".'],
      [
        { fields: sample, preprocessed: true },
        400,
        'INVALID_REQUEST',
        '"preprocessed" is for "inputs": fields are given as people know them.',
      ],
      [
        { fields: JSON.parse('{"__proto__":1,"age":1,"height":1,"balance":1}') },
        422,
        'INVALID_INPUT',
        'fields has "__proto__", which is no field of the model.',
      ],
    ]
    for (const [body, status, code, message] of cases) {
      const reply = await send('/predict', { body })
      expect({ status: reply.status, ...reply.body.error }).toMatchObject({ status, code, message })
    }
    const batch = { fields: [sample, { ...sample, height: 0 }] }
    expect((await send('/predict/batch', { body: batch })).body.error).toEqual({
      code: 'OUT_OF_RANGE',
      message: 'fields[1].height must be at least 0.1, found 0.',
      hint: 'The range of "height" is from 0.1.',
    })
    expect((await send('/predict/batch', { body: { fields: [sample], inputs: [] } })).body.error.code).toBe('INVALID_REQUEST')
  })
})

describe('ranges', () => {
  it('hold however the values come', async () => {
    const { send } = await start(model, { fields })
    const message = (path: string) => `${path}: value 0 ("age") must be at most 120, found 130.`
    expect((await send('/predict', { body: { input: [130, 0, 1] } })).body.error).toMatchObject({
      code: 'OUT_OF_RANGE',
      message: message('input'),
    })
    expect((await send('/predict', { body: { inputs: { x: [[130, 0, 1]] } } })).body.error.message).toBe(message('inputs.x'))
    expect((await send('/predict', { body: { input: [130, 0, 1], preprocessed: true } })).body.error.code).toBe('OUT_OF_RANGE')
    const inputs = [{ x: [1, 0, 1] }, { x: [130, 0, 1] }]
    expect((await send('/predict/batch', { body: { inputs } })).body.error.message).toBe(message('inputs[1].x'))
    const tensor = { name: 'x', shape: [2, 3], datatype: 'FP32', data: [1, 0, 1, 130, 0, 1] }
    expect((await send('/v2/models/test/infer', { body: { inputs: [tensor] } })).body.error).toContain(message('inputs[0] ("x")'))
  })

  it('count a bound as inside, as near as the type can be to it', async () => {
    // The float32 nearest to 0.1 is a little more, the one nearest to 0.7 a little less.
    const near = [{ input: 'x', index: 0, name: 'v', min: 0.7, max: 0.7 }]
    for (const type of ['float32', 'float64', 'float16'] as const) {
      const { send } = await start(identityModel('N', [1], type), { fields: near })
      expect((await send('/predict', { body: { input: [0.7] } })).status, type).toBe(200)
      expect((await send('/predict', { body: { input: [0.75] } })).body.error?.message, type).toMatch(
        /^input: value 0 \("v"\) must be at most 0.7, found 0.75\.$/,
      )
    }
    const whole = await start(identityModel('N', [2], 'int64'), { fields: [{ input: 'x', index: 1, name: 'v', min: -3, max: 4 }] })
    const statuses = [-4, -3, 4, 5].map(async (value) => (await whole.send('/predict', { body: { input: [99, value] } })).status)
    expect(await Promise.all(statuses)).toEqual([422, 200, 200, 422])
  })

  it('are those of values before preprocessing', async () => {
    const { send } = await start(model, { fields, preprocessing: { scale: 0.01 } })
    expect((await send('/predict', { body: { input: [120, 0, 1] } })).body.outputs.y[0]).toBeCloseTo(1.2, 6)
    expect((await send('/predict', { body: { input: [121, 0, 1] } })).status).toBe(422)
    expect((await send('/predict', { body: { input: [500, 0, 0], preprocessed: true } })).body.outputs.y).toEqual([500, 0, 0])
    const tensor = { name: 'x', shape: [1, 3], datatype: 'FP32', data: [500, 0, 0] }
    expect((await send('/v2/models/test/infer', { body: { inputs: [tensor] } })).status).toBe(200)
  })

  it('are refused where they do not fit the model', async () => {
    const wrong: [Uint8Array, NonNullable<ServiceConfigFile['fields']>, string][] = [
      [model, [{ input: 'z', index: 0, name: 'a' }], 'input "z" does not exist'],
      [model, [{ input: 'x', index: 3, name: 'a' }], 'its input has 3 values, there is none at 3'],
      [
        model,
        [
          { input: 'x', index: 0, name: 'a' },
          { input: 'x', index: 1, name: 'a' },
        ],
        'the name is given twice',
      ],
      [
        model,
        [
          { input: 'x', index: 0, name: 'a' },
          { input: 'x', index: 0, name: 'b' },
        ],
        'has a name already',
      ],
      [model, [{ input: 'x', index: 0, name: 'a', min: 2, max: 1 }], 'its smallest value is larger'],
      [multiInputModel(), [{ input: 'ids', index: 0, name: 'a' }], 'sizes that the model leaves open'],
      [identityModel('N', [1], 'string'), [{ input: 'x', index: 0, name: 'a', min: 0 }], 'text has no range'],
    ]
    for (const [bytes, own, message] of wrong) {
      await expect(testService(bytes, { fields: own })).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) })
    }
  })
})

describe('embedding', () => {
  /** Scores [N,3] = x, and an embedding [N,2]. */
  const embedder = encodeModel(
    makeModel({
      nodes: [makeNode('MatMul', ['x', 'w'], ['features']), makeNode('Identity', ['x'], ['scores'])],
      inputs: [makeValueInfo('x', 'float32', ['N', 3])],
      outputs: [makeValueInfo('features', 'float32', ['N', 2]), makeValueInfo('scores', 'float32', ['N', 3])],
      initializers: [makeTensor('w', 'float32', [3, 2], Float32Array.of(1, 0, 0, 1, 1, 1))],
    }),
  )

  it('is answered to those who ask', async () => {
    const { send } = await start(embedder, { embedding: 'features', labels: ['a', 'b', 'c'] })
    const input = [1, 2, 5]
    const plain = (await send('/predict', { body: { input } })).body
    expect(plain).toMatchObject({ outputs: { scores: input }, prediction: { class: 2, label: 'c' } })
    expect([plain.outputs.features, plain.embedding]).toEqual([undefined, undefined])
    expect((await send('/predict', { body: { input, embedding: true } })).body).toMatchObject({
      outputs: { scores: input },
      embedding: [6, 7],
    })
    expect((await send('/predict', { body: { input, embedding: false } })).body).not.toHaveProperty('embedding')
    const batch = await send('/predict/batch', { body: { inputs: [{ x: input }, { x: [0, 0, 1] }], embedding: true } })
    expect(batch.body.results.map(({ embedding }: { embedding: unknown }) => embedding)).toEqual([
      [6, 7],
      [1, 1],
    ])
    expect((await send('/model_info')).body.embedding).toBe('features')
    expect((await send('/predict', { body: { input, embedding: 1 } })).body.error.message).toBe(
      '"embedding" must be true or false, found 1.',
    )
  })

  it('is refused where there is none', async () => {
    const { send } = await start(embedder)
    expect((await send('/predict', { body: { input: [1, 2, 3], embedding: true } })).body.error).toMatchObject({
      code: 'INVALID_REQUEST',
      message: 'This service has no embedding to answer.',
    })
    await expect(testService(embedder, { embedding: 'nothing' })).rejects.toMatchObject({
      code: 'USAGE',
      hint: 'The outputs are: features, scores.',
    })
  })
})
