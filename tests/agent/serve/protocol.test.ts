import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { floatToHalf } from '../../../src/core/float16.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { identityModel, linearModel, lookUpModel, multiInputModel, oneNodeModel } from '../../engine/measure/small-models.ts'
import type { Reply, TestService } from '../service-fixture.ts'
import { heldRuntime } from './held-runtime.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const INFER = '/v2/models/test/infer'

/** A body of the binary extension. */
function withBinary(json: object, ...tensors: Uint8Array[]) {
  const text = Buffer.from(JSON.stringify(json))
  return {
    body: Buffer.concat([text, ...tensors]),
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(text.length) },
  }
}

/** JSON and the bytes after it. */
function split({ headers, bytes }: Reply) {
  const length = Number(headers['inference-header-content-length'])
  return { json: JSON.parse(bytes.subarray(0, length).toString('utf8')), binary: bytes.subarray(length) }
}

function bytesOf(
  values:
    | Float32Array
    | Uint32Array
    | Uint16Array
    | BigInt64Array
    | BigUint64Array
    | Float64Array
    | Int8Array
    | Int16Array
    | Int32Array
    | Uint8Array,
) {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

/**
 * The model of the specification's example: input0 UINT32 [2,2], input1 BOOL [3], output0 FP32 [3,2]; with three times true it gives the example's
 * output whatever input0 holds.
 */
function exampleModel(): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [
        makeNode('Cast', ['input1'], ['chosen'], { to: 1 }),
        makeNode('Reshape', ['chosen', 'column'], ['rows']),
        makeNode('Mul', ['rows', 'answer'], ['scaled']),
        makeNode('Cast', ['input0'], ['numbers'], { to: 1 }),
        makeNode('ReduceSum', ['numbers'], ['sum'], { keepdims: 0 }),
        makeNode('Mul', ['sum', 'zero'], ['nothing']),
        makeNode('Add', ['scaled', 'nothing'], ['output0']),
      ],
      inputs: [makeValueInfo('input0', 'uint32', [2, 2]), makeValueInfo('input1', 'bool', [3])],
      outputs: [makeValueInfo('output0', 'float32', [3, 2])],
      initializers: [
        makeInt64('column', [2], [3, 1]),
        makeTensor('answer', 'float32', [3, 2], Float32Array.of(1.0, 1.1, 2.0, 2.1, 3.0, 3.1)),
        makeTensor('zero', 'float32', [], Float32Array.of(0)),
      ],
    }),
  )
}

describe('the examples of the specification', () => {
  const inputs = [
    { name: 'input0', shape: [2, 2], datatype: 'UINT32', data: [1, 2, 3, 4] },
    { name: 'input1', shape: [3], datatype: 'BOOL', data: [true, true, true] },
  ]
  const answer = Array.from(Float32Array.of(1.0, 1.1, 2.0, 2.1, 3.0, 3.1))

  it('inference request', async () => {
    const { send } = await start(exampleModel())
    const body = { id: '42', inputs, outputs: [{ name: 'output0' }] }
    const reply = await send('/v2/models/test/infer', { body })
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^application\/json/)
    expect(reply.body).toEqual({
      model_name: 'test',
      model_version: 'release-1',
      id: '42',
      outputs: [{ name: 'output0', shape: [3, 2], datatype: 'FP32', data: answer }],
    })
    // As it is printed the example has one value for a shape of three.
    const printed = { ...body, inputs: [inputs[0], { ...inputs[1], data: [true] }] }
    expect(await send('/v2/models/test/infer', { body: printed })).toMatchObject({
      status: 422,
      body: { error: expect.stringMatching(/^inputs\[1\] \("input1"\) needs 3 values for its shape \[3\]/) },
    })
  })

  it('nested tensor data, and no id where none was given', async () => {
    const { send } = await start(exampleModel())
    const nested = [
      [1, 2],
      [3, 4],
    ]
    const { body } = await send(INFER, { body: { inputs: [{ ...inputs[0], data: nested }, inputs[1]] } })
    expect(body.outputs[0].data).toEqual(answer)
    expect(body).not.toHaveProperty('id')
  })

  it('binary tensor request', async () => {
    const { send } = await start(exampleModel())
    const request = withBinary(
      {
        model_name: 'mymodel',
        inputs: [
          { name: 'input0', shape: [2, 2], datatype: 'UINT32', parameters: { binary_data_size: 16 } },
          { name: 'input1', shape: [3], datatype: 'BOOL', parameters: { binary_data_size: 3 } },
        ],
        outputs: [{ name: 'output0', parameters: { binary_data: true } }],
      },
      bytesOf(Uint32Array.of(1, 2, 3, 4)),
      Uint8Array.of(1, 1, 1),
    )
    const reply = await send(INFER, request)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toBe('application/octet-stream')
    const { json, binary } = split(reply)
    expect(json.outputs).toEqual([{ name: 'output0', shape: [3, 2], datatype: 'FP32', parameters: { binary_data_size: 24 } }])
    expect(binary).toEqual(Buffer.from(bytesOf(Float32Array.from(answer))))
  })

  it('health, readiness and metadata', async () => {
    const { send } = await start(multiInputModel())
    for (const path of ['/v2', '/v2/']) {
      expect(await send(path)).toMatchObject({
        status: 200,
        body: { name: 'edgesmith', version: expect.any(String), extensions: ['binary_tensor_data'] },
      })
    }
    expect(await send('/v2/health/live')).toMatchObject({ status: 200, body: { live: true } })
    expect((await send('/v2/health/ready')).body).toEqual({ live: true, ready: true })
    for (const model of ['/v2/models/test', '/v2/models/test/versions/release-1']) {
      expect(await send(`${model}/ready`)).toMatchObject({ status: 200, body: { name: 'test', ready: true } })
      expect((await send(model)).body).toEqual({
        name: 'test',
        versions: ['release-1'],
        platform: 'onnx_onnxv1',
        inputs: [
          { name: 'a', datatype: 'FP32', shape: [-1, 2] },
          { name: 'ids', datatype: 'INT64', shape: [-1, -1] },
          { name: 'flag', datatype: 'BOOL', shape: [-1] },
        ],
        outputs: [
          { name: 'sum', datatype: 'FP32', shape: [-1] },
          { name: 'same', datatype: 'BOOL', shape: [-1] },
        ],
      })
      const data = [
        { name: 'flag', datatype: 'BOOL', shape: [2], data: [true, false] },
        { name: 'a', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] },
        { name: 'ids', datatype: 'INT64', shape: [2, 1], data: [1, 3] },
      ]
      const { body } = await send(`${model}/infer`, { body: { inputs: data } })
      expect(body.outputs.map(({ data: values }: { data: unknown }) => values)).toEqual([
        [13, 37],
        [true, false],
      ])
    }
  })

  it('errors are {"error": text} at every path of the protocol, whatever is wrong', async () => {
    const { send } = await start(exampleModel())
    const cases: [string, Parameters<TestService['send']>[1], number][] = [
      ['/v2/models/other', {}, 404],
      ['/v2/models/test/versions/2', {}, 404],
      ['/v2/models/test', { anonymous: true }, 401],
      ['/v2/models/test', { headers: { host: 'evil.example' } }, 421],
      [INFER, {}, 405],
      [INFER, { body: '{' }, 400],
      [INFER, { body: '{}', headers: { 'content-type': 'text/plain' } }, 415],
      [INFER, { body: { inputs }, headers: { 'content-encoding': 'gzip' } }, 415],
      [INFER, { body: { inputs: [] } }, 422],
    ]
    for (const [path, options, status] of cases) {
      const reply = await send(path, options)
      expect([reply.status, reply.body], `${path} ${status}`).toEqual([status, { error: expect.any(String) }])
    }
  })
})

describe('datatypes', () => {
  const types: [Parameters<typeof identityModel>[2], string, unknown[], Uint8Array][] = [
    ['bool', 'BOOL', [true, false], Uint8Array.of(1, 0)],
    ['uint8', 'UINT8', [0, 255], Uint8Array.of(0, 255)],
    ['uint16', 'UINT16', [0, 65535], bytesOf(Uint16Array.of(0, 65535))],
    ['uint32', 'UINT32', [0, 4294967295], bytesOf(Uint32Array.of(0, 4294967295))],
    ['uint64', 'UINT64', [0, '18446744073709551615'], bytesOf(BigUint64Array.of(0n, 2n ** 64n - 1n))],
    ['int8', 'INT8', [-128, 127], bytesOf(Int8Array.of(-128, 127))],
    ['int16', 'INT16', [-32768, 32767], bytesOf(Int16Array.of(-32768, 32767))],
    ['int32', 'INT32', [-2147483648, 2147483647], bytesOf(Int32Array.of(-2147483648, 2147483647))],
    ['int64', 'INT64', ['-9223372036854775808', 7], bytesOf(BigInt64Array.of(-(2n ** 63n), 7n))],
    ['float16', 'FP16', [-0.5, 65504], bytesOf(Uint16Array.of(floatToHalf(-0.5), floatToHalf(65504)))],
    ['float32', 'FP32', [Math.fround(0.1), -3.4028234663852886e38], bytesOf(Float32Array.of(0.1, -3.4028234663852886e38))],
    ['float64', 'FP64', [0.1, 1.7976931348623157e308], bytesOf(Float64Array.of(0.1, 1.7976931348623157e308))],
    ['string', 'BYTES', ['é"\\', ''], Buffer.from([4, 0, 0, 0, 0xc3, 0xa9, 0x22, 0x5c, 0, 0, 0, 0])],
  ]

  it.each(types)('%s is %s, exact in JSON and in binary', async (type, datatype, values, bytes) => {
    const { send } = await start(identityModel('N', [2], type))
    const described = { name: 'x', shape: [1, 2], datatype }
    const output = { name: 'y', shape: [1, 2], datatype }
    const binary = (parameters: object) =>
      withBinary({ ...parameters, inputs: [{ ...described, parameters: { binary_data_size: bytes.length } }] }, bytes)
    const toBinary = split(await send(INFER, binary({ parameters: { binary_data_output: true } })))
    expect(toBinary.json.outputs).toEqual([{ ...output, parameters: { binary_data_size: bytes.length } }])
    expect(toBinary.binary).toEqual(Buffer.from(bytes))
    expect((await send(INFER, binary({}))).body.outputs).toEqual([{ ...output, data: values }])
    // Integers that JSON cannot hold are sent in binary only.
    if (values.some((value) => type?.includes('int64') && typeof value === 'string')) return
    expect((await send(INFER, { body: { inputs: [{ ...described, data: values }] } })).body.outputs).toEqual([{ ...output, data: values }])
    expect((await send(INFER, { body: { inputs: [{ ...described, data: [values] }] } })).body.outputs).toEqual([
      { ...output, data: values },
    ])
  })

  it('never lets NaN or infinity in, nor what is no bool or no text', async () => {
    const wrong: [Parameters<typeof identityModel>[2], string, Uint8Array, string][] = [
      ['float32', 'FP32', bytesOf(Float32Array.of(1, Number.NaN)), 'value 1 (counted from 0) is not a finite number'],
      ['float64', 'FP64', bytesOf(Float64Array.of(Number.NEGATIVE_INFINITY, 0)), 'value 0 (counted from 0) is not a finite number'],
      ['float16', 'FP16', bytesOf(Uint16Array.of(0x7bff, 0x7c00)), 'value 1 (counted from 0) is not a finite number'],
      ['bool', 'BOOL', Uint8Array.of(1, 2), 'value 1 (counted from 0) is not 0 or 1'],
      ['string', 'BYTES', Buffer.from([1, 0, 0, 0, 0xff, 0, 0, 0, 0]), 'element 0 is not UTF-8 text'],
      ['string', 'BYTES', Buffer.from([9, 0, 0, 0, 65]), 'element 0 is longer than the bytes that are left'],
      ['string', 'BYTES', Buffer.from([1, 0, 0, 0, 65]), 'needs 2 elements for its shape, found 1'],
      ['float32', 'FP32', bytesOf(Float32Array.of(1)), 'needs 8 bytes for its shape, found 4'],
    ]
    for (const [type, datatype, bytes, message] of wrong) {
      const { send } = await start(identityModel('N', [2], type))
      const json = { inputs: [{ name: 'x', shape: [1, 2], datatype, parameters: { binary_data_size: bytes.length } }] }
      const reply = await send(INFER, withBinary(json, bytes))
      expect([reply.status, reply.body.error]).toEqual([422, expect.stringContaining(message)])
    }
  })

  it('writes what is not a number as null in JSON and as it is in binary', async () => {
    const { send } = await start(oneNodeModel('Log', { type: 'float32', shape: ['N', 2] }, { type: 'float32', shape: ['N', 2] }))
    const inputs = [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [0, -1] }]
    expect((await send(INFER, { body: { inputs } })).body.outputs[0].data).toEqual([null, null])
    const { binary } = split(await send(INFER, { body: { inputs, parameters: { binary_data_output: true } } }))
    expect([binary.readFloatLE(0), binary.readFloatLE(4)]).toEqual([Number.NEGATIVE_INFINITY, Number.NaN])
  })
})

describe('requests', () => {
  const model = linearModel('N', [
    [1, 2, 0],
    [1, 0, 2],
  ])
  const row = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }

  it('answers the outputs that were asked for, each in its own way', async () => {
    const { send } = await start(multiInputModel())
    const inputs = [
      { name: 'a', datatype: 'FP32', shape: [1, 2], data: [1, 2] },
      { name: 'ids', datatype: 'INT64', shape: [1, 1], data: [1] },
      { name: 'flag', datatype: 'BOOL', shape: [1], data: [1] },
    ]
    const wanted = [{ name: 'same' }, { name: 'sum', parameters: { binary_data: true } }]
    const reply = split(await send(INFER, { body: { inputs, outputs: wanted } }))
    expect(reply.json.outputs).toEqual([
      { name: 'same', shape: [1], datatype: 'BOOL', data: [true] },
      { name: 'sum', shape: [1], datatype: 'FP32', parameters: { binary_data_size: 4 } },
    ])
    expect(reply.binary.readFloatLE(0)).toBe(13)
    const overridden = [{ name: 'sum', parameters: { binary_data: false } }]
    const text = await send(INFER, { body: { inputs, outputs: overridden, parameters: { binary_data_output: true } } })
    expect(text.body.outputs).toEqual([{ name: 'sum', shape: [1], datatype: 'FP32', data: [13] }])
    expect((await send(INFER, { body: { inputs, outputs: [] } })).body.outputs).toHaveLength(2)
  })

  it('takes bodies that declare no type, as clients of the protocol send them', async () => {
    const { raw } = await start(model)
    const body = JSON.stringify({ inputs: [row] })
    const head = `POST ${INFER} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: token-of-the-tests-0123456789\r\nContent-Length: ${body.length}\r\n\r\n`
    expect(await raw(`${head}${body}`)).toMatch(/^HTTP\/1.1 200 /)
  })

  it('runs batches of any size in order, in JSON and in binary', async () => {
    const { send } = await start(model)
    for (const rows of [1, 2, 31, 32, 33, 100, 1000]) {
      const values = Float32Array.from({ length: rows * 2 }, (_, index) => index)
      const expected = Array.from({ length: rows }, (_, r) => [4 * r + 1, 4 * r, 4 * r + 2]).flat()
      const tensor = { name: 'x', shape: [rows, 2], datatype: 'FP32' }
      expect((await send(INFER, { body: { inputs: [{ ...tensor, data: Array.from(values) }] } })).body.outputs).toEqual([
        { name: 'y', shape: [rows, 3], datatype: 'FP32', data: expected },
      ])
      const json = { parameters: { binary_data_output: true }, inputs: [{ ...tensor, parameters: { binary_data_size: rows * 8 } }] }
      const reply = split(await send(INFER, withBinary(json, bytesOf(values))))
      expect(reply.binary).toEqual(Buffer.from(bytesOf(Float32Array.from(expected))))
    }
    const tooMany = { name: 'x', shape: [1025, 2], datatype: 'FP32', data: new Array(2050).fill(0) }
    expect(await send(INFER, { body: { inputs: [tooMany] } })).toMatchObject({
      status: 422,
      body: { error: expect.stringContaining('at most 1024') },
    })
  })

  it('shares runs with other requests, and gives everybody their own rows', async () => {
    const { runtime, held, runs, release } = heldRuntime()
    const { send } = await start(model, {}, {}, runtime)
    const first = send('/predict', { body: { input: [0, 0] } })
    await expect.poll(held).toBe(1)
    const sizes = [1, 3, 2, 1, 5]
    const tensors = sizes.map((rows, request) => Array.from({ length: rows * 2 }, (_, i) => request * 100 + i))
    const infers = tensors.map((data, index) => send(INFER, { body: { inputs: [{ ...row, shape: [sizes[index], 2], data }] } }))
    const predict = send('/predict', { body: { input: [7, 8] } })
    const gauge = async () => Number(/^edgesmith_queue_depth\{.*\} (\d+)$/m.exec((await send('/metrics')).body)?.[1])
    await expect.poll(gauge).toBe(14)
    release()
    await expect.poll(held).toBe(1)
    release()
    for (const [index, reply] of (await Promise.all(infers)).entries()) {
      const data = tensors[index] as number[]
      const expected = Array.from({ length: sizes[index] as number }, (_, r) => {
        const [a, b] = [data[2 * r] as number, data[2 * r + 1] as number]
        return [a + b, 2 * a, 2 * b]
      })
      expect(reply.body.outputs[0]).toMatchObject({ shape: [sizes[index], 3], data: expected.flat() })
    }
    expect((await predict).body.outputs.y).toEqual([15, 14, 16])
    expect((await first).status).toBe(200)
    expect(runs()).toBe(2)
  })

  it('runs models with a fixed batch, with sizes of any kind, and without rows in the outputs', async () => {
    const fixed = await start(identityModel(2, [2]))
    const four = { name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }
    expect((await fixed.send(INFER, { body: { inputs: [four] } })).body.outputs[0]).toMatchObject({ shape: [2, 2], data: [1, 2, 3, 4] })
    expect((await fixed.send(INFER, { body: { inputs: [row] } })).status).toBe(422)
    const summed = await start(oneNodeModel('ReduceSum', { type: 'float32', shape: ['N', 2] }, { type: 'float32', shape: [1, 1] }))
    expect((await summed.send(INFER, { body: { inputs: [four] } })).body.outputs[0]).toMatchObject({ shape: [1, 1], data: [10] })
    const scalar = await start(oneNodeModel('Neg', { type: 'float32', shape: [] }, { type: 'float32', shape: [] }))
    expect((await scalar.send(INFER, { body: { inputs: [{ ...row, shape: [], data: [5] }] } })).body.outputs[0]).toMatchObject({
      shape: [],
      data: [-5],
    })
  })

  it('does not preprocess: tensors are the model’s own', async () => {
    const { send } = await start(identityModel('N', [2]), { preprocessing: { scale: 0.5 } })
    expect((await send(INFER, { body: { inputs: [row] } })).body.outputs[0].data).toEqual([1, 2])
  })

  it('blames the client for what the model cannot compute, alone', async () => {
    const { send } = await start(lookUpModel(3))
    const look = (id: number) => send(INFER, { body: { inputs: [{ name: 'x', shape: [1], datatype: 'INT64', data: [id] }] } })
    const replies = await Promise.all([look(1), look(9), look(2)])
    expect(replies.map(({ status }) => status)).toEqual([200, 422, 200])
  })

  it('says what is wrong with a request', async () => {
    const { send } = await start(model)
    const one = (changes: object) => ({ inputs: [{ ...row, ...changes }] })
    const cases: [unknown, number, string][] = [
      [[], 400, 'The body must be an object'],
      [{}, 400, '"inputs" must be a list of tensors, found nothing'],
      [{ inputs: [5] }, 400, 'inputs[0] must be an object, found 5'],
      [{ id: 7, inputs: [row] }, 400, '"id" must be a string of at most 1000 characters, found 7'],
      [{ inputs: [row], parameters: [] }, 400, 'The body.parameters must be an object'],
      [{ inputs: [row], parameters: { binary_data_output: 1 } }, 400, 'parameters.binary_data_output must be true or false, found 1'],
      [{ inputs: [] }, 422, '"inputs" lacks "x"'],
      [{ inputs: [row, row] }, 400, '"inputs" has "x" twice'],
      [one({ name: 'z' }), 422, 'inputs[0].name is the string "z", which is no input of the model'],
      [one({ name: '__proto__' }), 422, 'which is no input of the model'],
      [one({ datatype: 'FP64' }), 422, 'must have the datatype FP32, found the string "FP64"'],
      [one({ shape: '1,2' }), 400, 'must have a "shape"'],
      [one({ shape: [1, -2] }), 400, 'must have a "shape"'],
      [one({ shape: [1, 2.5] }), 400, 'must have a "shape"'],
      [one({ shape: [1, 3] }), 422, 'must have the shape [-1,2], found [1,3]'],
      [one({ shape: [0, 2], data: [] }), 422, 'must have the shape [-1,2], found [0,2]'],
      [one({ shape: [2] }), 422, 'must have the shape [-1,2], found [2]'],
      [one({ data: 1 }), 400, 'must have "data", a list of values, found 1'],
      [one({ data: [1] }), 422, 'inputs[0] ("x") needs 2 values for its shape [1,2]'],
      [one({ data: [1, null] }), 422, 'inputs[0] ("x").data[1] must be a number, found null'],
      [one({ data: [[1, 'a']] }), 422, 'inputs[0] ("x").data[0][1] must be a number, found the string "a"'],
      [one({ shape: [1000, 2], data: new Array(1000).fill([]) }), 422, 'needs 2000 values for its shape [1000,2], found fewer'],
      [one({ parameters: { binary_data_size: 8 } }), 400, 'has both "data" and binary data'],
      [one({ data: undefined, parameters: { binary_data_size: 8 } }), 400, 'needs 8 bytes after the JSON, 0 are left'],
      [one({ data: undefined, parameters: { binary_data_size: -1 } }), 400, 'must be a whole number from 0, found -1'],
      [one({ parameters: { shared_memory_region: 'r' } }), 400, 'of an extension that this server does not have'],
      [{ inputs: [row], outputs: {} }, 400, '"outputs" must be a list, found an object'],
      [{ inputs: [row], outputs: [{ name: 'nothing' }] }, 422, 'outputs[0].name is the string "nothing", which is no output of the model'],
      [{ inputs: [row], outputs: [{ name: 'y' }, { name: 'y' }] }, 400, '"outputs" has "y" twice'],
      [
        { inputs: [row], outputs: [{ name: 'y', parameters: { classification: 2 } }] },
        400,
        'of an extension that this server does not have',
      ],
    ]
    for (const [body, status, message] of cases) {
      const reply = await send(INFER, { body })
      expect([reply.status, reply.body.error], message).toEqual([status, expect.stringContaining(message)])
    }
    for (const length of ['x', '-1', '99999', '1e2', '']) {
      const reply = await send(INFER, { body: one({}), headers: { 'inference-header-content-length': length } })
      expect([reply.status, reply.body.error], length).toEqual([400, expect.stringContaining('Inference-Header-Content-Length')])
    }
    const rest = withBinary(one({}), Uint8Array.of(1, 2, 3))
    expect(await send(INFER, rest)).toMatchObject({ status: 400, body: { error: '3 bytes after the JSON belong to no input.' } })
  })

  it('keeps its answers to what is documented under mutilated binary bodies', async () => {
    const { send } = await start(multiInputModel())
    const whole = withBinary(
      {
        inputs: [
          { name: 'a', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } },
          { name: 'ids', datatype: 'INT64', shape: [1, 1], parameters: { binary_data_size: 8 } },
          { name: 'flag', datatype: 'BOOL', shape: [1], parameters: { binary_data_size: 1 } },
        ],
      },
      bytesOf(Float32Array.of(1, 2)),
      bytesOf(BigInt64Array.of(1n)),
      Uint8Array.of(1),
    )
    expect((await send(INFER, whole)).status).toBe(200)
    const edits = fc.sample(fc.array(fc.tuple(fc.nat(whole.body.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), {
      numRuns: 150,
      seed: 5,
    })
    const statuses = await Promise.all(
      edits.map(async (changes) => {
        const body = Buffer.from(whole.body)
        for (const [at, byte] of changes) body[at] = byte
        return (await send(INFER, { ...whole, body })).status
      }),
    )
    expect([...new Set(statuses)].filter((status) => ![200, 400, 422].includes(status))).toEqual([])
    expect((await send('/stats')).body.errors).toBe(0)
  })
})
