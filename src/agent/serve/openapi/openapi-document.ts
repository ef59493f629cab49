import type { Port } from '../../../core/inference-runtime.ts'
import { IMAGE_TYPES } from '../images/image-body.ts'
import { imageInput } from '../images/image-sample.ts'
import type { ModelSignature } from '../model-signature.ts'
import type { AnswerForm } from '../sample-outputs.ts'
import type { ServiceLimits } from '../service-limits.ts'
import type { ServedConfig } from '../versions/served-version.ts'
import { errorResponses, responseRefs } from './error-responses.ts'
import { predictSchemas, schemaRef } from './predict-schemas.ts'
import { protocolSchemas } from './protocol-schemas.ts'
import { requestExamples } from './request-examples.ts'
import { selfSchemas } from './self-schemas.ts'
import type { JsonSchema } from './value-schemas.ts'

/** What the document is made from. */
export interface DescribedService {
  /** Of the version that is described. */
  readonly config: ServedConfig
  /** Versions that may answer beside it, itself among them. */
  readonly versions: readonly string[]
  readonly limits: ServiceLimits
  readonly signature: ModelSignature
  readonly outputs: readonly Port[]
  readonly form: AnswerForm
  readonly serverVersion: string
}

/** Statuses that any request can get: refused before anything was looked at, or a bug. */
const ALWAYS = [400, 401, 408, 421, 431, 500]
const PREDICTION = [...ALWAYS, 413, 415, 422, 429, 503, 504]

/**
 * The service as OpenAPI 3.1 describes it: names, shapes, types, ranges, labels and limits of this very model.
 * Source: OpenAPI Specification 3.1.1; schemas are JSON Schema 2020-12.
 */
export function openApiDocument(service: DescribedService): JsonSchema {
  const { config, limits } = service
  const model = `/v2/models/${config.service}`
  const examples = requestExamples(service.signature)
  const json = (name: string, example: JsonSchema) => ({ 'application/json': { schema: schemaRef(name), example } })
  return {
    openapi: '3.1.1',
    info: {
      title: config.modelName || config.service,
      version: config.version,
      description: `REST API of the service "${config.service}" (Edgesmith ${service.serverVersion}). Bodies may have ${limits.bodyBytes} bytes, batches ${limits.batchSamples} samples, answers ${limits.answerBytes} bytes. Limits of rate count requests: a batch is one.`,
    },
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [
      { name: 'Predictions', description: 'The model, in JSON.' },
      { name: 'Open Inference Protocol', description: 'The model, as clients of KServe and Triton ask for it.' },
      { name: 'Service', description: 'What the service says of itself.' },
    ],
    paths: {
      '/predict': post(
        'predict',
        'Predict one sample',
        // Who shows the document offers the first one first.
        { ...imageBodies(service), ...json('PredictRequest', examples.predict) },
        schemaRef('PredictAnswer'),
      ),
      '/predict/batch': post('predictBatch', 'Predict several samples', json('BatchRequest', examples.batch), schemaRef('BatchAnswer')),
      '/v2': get('serverMetadata', 'Server metadata', schemaRef('ServerMetadata'), { protocol: true }),
      '/v2/health/live': get('serverLive', 'Whether the server is alive', schemaRef('Live'), { protocol: true }),
      '/v2/health/ready': get('serverReady', 'Whether the server can predict', schemaRef('ServerReady'), {
        protocol: true,
        notReady: schemaRef('ServerReady'),
      }),
      [model]: get('modelMetadata', 'Model metadata', schemaRef('ModelMetadata'), { protocol: true, also: [503] }),
      [`${model}/ready`]: get('modelReady', 'Whether the model can predict', schemaRef('ModelReady'), {
        protocol: true,
        notReady: schemaRef('ModelReady'),
      }),
      [`${model}/infer`]: infer(json('InferRequest', examples.infer)),
      '/health': get('health', 'Alive, and what it is', schemaRef('Health')),
      '/ready': get('ready', 'Whether predictions are answered', schemaRef('Ready'), { notReady: schemaRef('Ready') }),
      '/model_info': get('modelInfo', 'The model', schemaRef('ModelInfo'), { also: [503] }),
      ...(config.driftReference
        ? { '/drift': get('drift', 'Whether what it is asked and answers is like what it was made for', schemaRef('Drift')) }
        : {}),
      '/stats': get('stats', 'Counts and memory', schemaRef('Stats')),
      '/metrics': get('metrics', 'Metrics for Prometheus', { type: 'string' }, { type: 'text/plain' }),
      '/openapi.json': get('openApi', 'This document', { type: 'object' }, { also: [503] }),
    },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
      parameters: {
        RequestId: {
          name: 'x-request-id',
          in: 'header',
          description: 'Answered as it is, so that a request can be found again in logs; made up where it is left out.',
          schema: { type: 'string', pattern: '^[A-Za-z0-9_.:@/+=-]{1,128}$' },
        },
        Session: {
          name: 'x-session-id',
          in: 'header',
          description: 'Where several versions share the requests, all of a session are answered by the same one.',
          schema: { type: 'string' },
        },
        Timeout: {
          name: 'x-request-timeout-ms',
          in: 'header',
          description: `Milliseconds after which the answer is of no use any more; ${config.deadlineMs} at most, and where it is left out.`,
          schema: { type: 'integer', minimum: 1 },
        },
      },
      headers: {
        RequestId: { schema: { type: 'string' } },
        ModelVersion: { description: 'The version that answered.', schema: { type: 'string' } },
      },
      responses: errorResponses([...new Set(PREDICTION)]),
      schemas: { ...predictSchemas(service), ...protocolSchemas(service), ...selfSchemas(service) },
    },
  }
}

interface GetOptions {
  /** Errors have the protocol's form. */
  readonly protocol?: boolean
  /** What is answered with 503 as long as the model is not loaded. */
  readonly notReady?: JsonSchema
  readonly also?: readonly number[]
  readonly type?: string
}

function get(operationId: string, summary: string, schema: JsonSchema, options: GetOptions = {}): JsonSchema {
  const { protocol = false, notReady, also = [], type = 'application/json' } = options
  return {
    get: {
      operationId,
      summary,
      tags: [protocol ? 'Open Inference Protocol' : 'Service'],
      parameters: [{ $ref: '#/components/parameters/RequestId' }],
      responses: {
        200: answer('The answer.', type, schema),
        ...(notReady ? { 503: answer('Not ready.', type, notReady) } : {}),
        ...responseRefs([...ALWAYS, ...also], protocol),
      },
    },
  }
}

function post(operationId: string, summary: string, bodies: Readonly<Record<string, JsonSchema>>, response: JsonSchema): JsonSchema {
  return {
    post: {
      operationId,
      summary,
      tags: ['Predictions'],
      parameters: predictionParameters,
      requestBody: { required: true, content: bodies },
      responses: { 200: answer('The prediction.', 'application/json', response, versionHeader), ...responseRefs(PREDICTION, false) },
    },
  }
}

/** Image files as bodies, where the preprocessing says how they become the model's input. */
function imageBodies({ signature }: DescribedService): Readonly<Record<string, JsonSchema>> {
  const image = imageInput(signature)?.image
  if (!image) return {}
  const description = `An image file of any size; it is decoded, turned upright and made ${image.width} × ${image.height} pixels (${image.colour}).`
  return Object.fromEntries(IMAGE_TYPES.map((type) => [type, { schema: { description } }]))
}

function infer(bodies: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const binary = { description: 'With the header Inference-Header-Content-Length: JSON, then the tensors.' }
  return {
    post: {
      operationId: 'modelInfer',
      summary: 'Predict tensors',
      tags: ['Open Inference Protocol'],
      parameters: predictionParameters,
      requestBody: {
        required: true,
        content: { ...bodies, 'application/octet-stream': { schema: binary } },
      },
      responses: {
        200: {
          ...answer('The outputs.', 'application/json', schemaRef('InferResponse'), versionHeader),
          content: { 'application/json': { schema: schemaRef('InferResponse') }, 'application/octet-stream': { schema: binary } },
        },
        ...responseRefs(PREDICTION, true),
      },
    },
  }
}

const predictionParameters = ['RequestId', 'Session', 'Timeout'].map((name) => ({ $ref: `#/components/parameters/${name}` }))

/** A version whose name cannot be sent in a header goes without. */
const versionHeader = { 'x-model-version': { $ref: '#/components/headers/ModelVersion' } }

function answer(description: string, type: string, schema: JsonSchema, more: JsonSchema = {}): JsonSchema {
  const headers = { 'x-request-id': { $ref: '#/components/headers/RequestId' }, ...more }
  return { description, headers, content: { [type]: { schema } } }
}
