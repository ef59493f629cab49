import type { DescribedService } from './openapi-document.ts'
import { closedObject } from './predict-schemas.ts'
import type { JsonSchema } from './value-schemas.ts'

const boolean: JsonSchema = { type: 'boolean' }
const text: JsonSchema = { type: 'string' }
const amount: JsonSchema = { type: 'number', minimum: 0 }
const count: JsonSchema = { type: 'integer', minimum: 0 }
const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] })

const level = { enum: ['none', 'drifted', 'severe', null] }
/** Numbers are null before the first window was full. */
const driftSchema: JsonSchema = closedObject({
  status: { enum: ['collecting', 'none', 'drifted', 'severe'] },
  triggered: boolean,
  reference_rows: count,
  window_rows: count,
  filled_rows: count,
  judged_windows: count,
  window: orNull(closedObject({ rows: count, from: text, to: text })),
  features: {
    type: 'array',
    items: closedObject({
      name: text,
      kind: { enum: ['numeric', 'categorical'] },
      watches: { enum: ['input', 'prediction'] },
      level,
      psi: orNull(amount),
      psi_limit: orNull(amount),
      distance: orNull(amount),
      p_value: orNull(amount),
      windows_in_a_row: count,
    }),
  },
})

/** Schemas of what a service says of itself. */
export function selfSchemas({ config }: DescribedService): Readonly<Record<string, JsonSchema>> {
  const shape = { type: 'array', items: { type: ['integer', 'string', 'null'] } }
  return {
    Live: closedObject({ live: boolean }),
    Ready: closedObject({ ready: boolean, reason: { ...text, description: 'Why not.' } }, ['reason']),
    ServerReady: closedObject({ live: boolean, ready: boolean }),
    ModelReady: closedObject({ name: { const: config.service }, ready: boolean }),
    Health: closedObject({
      status: { enum: ['ok', 'loading', 'failing', 'draining'] },
      model_loaded: boolean,
      service: { const: config.service },
      model: { const: config.modelName },
      version: { const: config.version },
      uptime_seconds: amount,
    }),
    Stats: closedObject({
      requests: count,
      predictions: count,
      errors: count,
      rejected: count,
      latency_p50_ms: orNull(amount),
      latency_p95_ms: orNull(amount),
      rss_bytes: count,
      peak_rss_bytes: count,
      cpu_ms: amount,
      uptime_seconds: amount,
    }),
    ...(config.driftReference ? { Drift: driftSchema } : {}),
    ModelInfo: closedObject(
      {
        service: { const: config.service },
        name: { const: config.modelName },
        version: { const: config.version },
        sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
        inputs: {
          type: 'array',
          items: closedObject(
            { name: text, type: text, shape, sample_shape: shape, sent_shape: shape, fields: { type: 'array', items: { type: 'object' } } },
            ['fields'],
          ),
        },
        outputs: { type: 'array', items: closedObject({ name: text, type: text, shape }) },
        batching: { enum: ['open', 'fixed', 'single'] },
        labels: orNull({ type: 'array', items: text }),
        embedding: text,
        preprocessing: { type: 'object' },
        accuracy: orNull({ type: 'number' }),
        latency_ms: orNull(closedObject({ p50: amount })),
        limits: closedObject({ batch_samples: count, body_bytes: count }),
        edgesmith_version: text,
        onnxruntime_version: text,
      },
      ['embedding'],
    ),
  }
}
