import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ServiceConfigFile } from '../../../src/contract/service.ts'
import { identityModel, linearModel, lookUpModel, multiInputModel, oneNodeModel } from '../../engine/measure/small-models.ts'
import { TOKEN } from '../service-fixture.ts'
import { contractOf, DOCUMENT_ID, documentAjv, fuzzRequests } from './openapi-contract.ts'
import { openApiMetaSchema } from './openapi-meta-schema.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const classifier = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])
const fields = [
  { input: 'x', index: 0, name: 'age', min: 0, max: 120 },
  { input: 'x', index: 1, name: 'weight', min: 0.5 },
]

/** Models of many kinds, with what makes their documents differ. */
const services: [string, Uint8Array, Partial<ServiceConfigFile>][] = [
  ['classifier with fields', classifier, { labels: ['sum', 'a', 'b'], fields, embedding: null }],
  ['several inputs of several types', multiInputModel(), {}],
  [
    'preprocessing to another layout',
    identityModel('N', [3, 1, 2]),
    { preprocessing: { stored: 'channels-last', layout: 'channels-first', scale: 0.5 } },
  ],
  ['fields before preprocessing, of float16', identityModel('N', [2], 'float16'), { preprocessing: { scale: 0.5 }, fields }],
  ['fixed batch', identityModel(2, [2]), { accuracy: 0.5 }],
  ['no batch', oneNodeModel('Identity', { type: 'int64', shape: [2] }, { type: 'int64', shape: [2] }), {}],
  ['scalars', oneNodeModel('Neg', { type: 'float32', shape: [] }, { type: 'float32', shape: [] }), {}],
  ['open sizes', oneNodeModel('Identity', { type: 'string', shape: ['N', 'A', 'B'] }, { type: 'string', shape: ['N', 'A', 'B'] }), {}],
  ['rows that melt together', oneNodeModel('ReduceSum', { type: 'float32', shape: ['N', 2] }, { type: 'float32', shape: [1, 1] }), {}],
  ['indices', lookUpModel(3), {}],
  ['an embedding that is all there is', identityModel('N', [2]), { embedding: 'y' }],
  ['half precision and booleans', identityModel('N', [2], 'bool'), { modelName: '', version: 'Ω "quoted" / 1' }],
]

describe('the document', () => {
  it.each(services)('is OpenAPI 3.1 whose every schema can be compiled: %s', async (_name, model, changes) => {
    const { send } = await start(model, changes)
    const { status, body: document } = await send('/openapi.json')
    expect(status).toBe(200)
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false })
    const validate = ajv.compile(openApiMetaSchema)
    expect(validate(document) ? null : ajv.errorsText(validate.errors)).toBeNull()
    const schemas = documentAjv(document)
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => schemas.compile({ $ref: `${DOCUMENT_ID}#/components/schemas/${name}` }), name).not.toThrow()
    }
    const text = JSON.stringify(document)
    for (const [, ref = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      expect(
        ref.split('/').reduce((part, key) => part?.[key], document),
        ref,
      ).toBeDefined()
    }
    const contract = contractOf(document)
    const { operations } = contract
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(operations.length)
    // Each component is used, each operation is there.
    for (const name of Object.keys(document.components.schemas)) expect(text, name).toContain(`#/components/schemas/${name}"`)
    for (const { path, method } of operations.filter((each) => each.method === 'GET'))
      expect((await send(path, { method })).status, path).toBe(200)
    // The example of each request is one that the model takes.
    for (const operation of operations.filter((each) => each.method === 'POST')) {
      const { example } = document.paths[operation.path].post.requestBody.content['application/json']
      expect(contract.accepts(operation, example), JSON.stringify(example)).toBe(true)
      expect((await send(operation.path, { body: example })).status, JSON.stringify(example)).toBe(200)
    }
  })

  it('says names, ranges, labels and limits of this model', async () => {
    const { send } = await start(classifier, { labels: ['sum', 'a', 'b'], fields, modelName: 'Ward 7', version: 'r9', deadlineMs: 1234 })
    const { body: document } = await send('/openapi.json')
    expect(document.info).toMatchObject({ title: 'Ward 7', version: 'r9', description: expect.stringContaining('batches 1024 samples') })
    const { schemas, parameters } = document.components
    expect(schemas.NamedFields.properties).toEqual({
      age: { title: 'age', type: 'number', minimum: 0, maximum: 120 },
      weight: { title: 'weight', type: 'number', minimum: 0.5, maximum: 3.4028234663852886e38 },
    })
    expect(schemas.Sample.properties.x.anyOf[0]).toMatchObject({
      minItems: 2,
      maxItems: 2,
      prefixItems: [{ title: 'age', maximum: 120 }, { title: 'weight' }],
    })
    expect(schemas.PredictAnswer.properties.prediction.anyOf[0].properties).toMatchObject({
      class: { maximum: 2 },
      label: { enum: ['sum', 'a', 'b'] },
    })
    expect(schemas.PredictAnswer.properties.outputs.properties.y).toMatchObject({ type: 'array', minItems: 3, maxItems: 3 })
    expect(schemas.BatchRequest.anyOf[0].properties.inputs.maxItems).toBe(1024)
    expect(parameters.Timeout.description).toContain('1234')
    expect(Object.keys(document.paths)).toContain('/v2/models/test/infer')
    expect(schemas.InferRequest.properties.inputs.items.oneOf[0].properties).toMatchObject({
      name: { const: 'x' },
      datatype: { const: 'FP32' },
    })
    // Every error that a prediction can answer is there with its meaning.
    expect(document.components.responses.Error422.description).toContain('OUT_OF_RANGE: a value is outside the range of its field.')
  })

  it('is not there before the model, and not for strangers', async () => {
    const { send } = await start(classifier)
    expect((await send('/openapi.json', { anonymous: true })).status).toBe(401)
  })
})

describe('only documented answers come back', () => {
  it('which is looked at closely', async () => {
    const { send } = await start(classifier)
    const contract = contractOf((await send('/openapi.json')).body)
    const operation = contract.operations.find(({ path }) => path === '/predict')
    const reply = await send('/predict', { body: { input: [1, 2] } })
    if (!operation) throw new Error('no /predict in the document')
    expect(contract.breach(operation, reply)).toBeNull()
    for (const wrong of [
      { status: 418 },
      { body: { ...reply.body, more: 1 } },
      { body: { ...reply.body, outputs: { y: [1, 2] } } },
      { body: { ...reply.body, version: 'other' } },
      { status: 422, body: { error: { code: 'NOT_FOUND', message: 'x' } } },
      { headers: { ...reply.headers, 'content-type': 'text/html' } },
      { headers: { 'content-type': 'application/json' } },
    ]) {
      expect(contract.breach(operation, { ...reply, ...wrong }), JSON.stringify(wrong)).not.toBeNull()
    }
    expect([{ input: [1, 2] }, { input: [1] }, { input: [1, 2], more: 1 }].map((body) => contract.accepts(operation, body))).toEqual([
      true,
      false,
      false,
    ])
  })

  it.each(services)('whatever is asked: %s', async (_name, model, changes) => {
    const { send, events } = await start(model, changes)
    const { body: document } = await send('/openapi.json')
    const contract = contractOf(document)
    const requests = fc.sample(fuzzRequests(contract, document), { numRuns: 30, seed: 17 })
    let answered = 0
    for (const { operation, options, isValid } of requests) {
      const reply = await send(operation.path, { method: operation.method, ...options })
      expect(contract.breach(operation, reply), JSON.stringify(options)).toBeNull()
      if (isValid && operation.requestSchema !== undefined)
        expect(contract.accepts(operation, options.body), JSON.stringify(options.body)).toBe(true)
      if (reply.status === 200) answered++
    }
    expect(answered).toBeGreaterThan(2)
    expect(events.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('and what the document calls valid is answered, where shapes are fixed', async () => {
    for (const [model, changes] of [
      [classifier, { fields, labels: ['sum', 'a', 'b'] }],
      [identityModel('N', [3, 1, 2]), { preprocessing: { stored: 'channels-last', layout: 'channels-first' } }],
      [identityModel('N', [2], 'uint8'), {}],
    ] as const satisfies readonly (readonly [Uint8Array, Partial<ServiceConfigFile>])[]) {
      const { send } = await start(model, changes)
      const { body: document } = await send('/openapi.json')
      const contract = contractOf(document)
      const own = contract.operations.filter(({ path, method }) => method === 'POST' && !path.startsWith('/v2'))
      for (const { operation, options, isValid } of fc.sample(
        fuzzRequests({ ...contract, operations: [...own, ...contract.operations.filter(({ method }) => method === 'GET')] }, document),
        { numRuns: 60, seed: 23 },
      )) {
        if (!isValid || operation.requestSchema === undefined) continue
        const reply = await send(operation.path, { method: 'POST', headers: { 'x-api-key': TOKEN }, body: options.body })
        expect([reply.status, reply.body.error], JSON.stringify(options.body)).toEqual([200, undefined])
      }
    }
  })
})
