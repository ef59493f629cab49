import { isIdentity } from '../../../core/datasets/preprocess.ts'
import { imageInput } from '../images/image-sample.ts'
import { hasNamedFields } from '../predict-request.ts'
import type { DescribedService } from './openapi-document.ts'
import { inputSchema, type JsonSchema, namedFieldsSchema, outputSchema } from './value-schemas.ts'

/** A schema of the document's components. */
export function schemaRef(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** An object with exactly these properties. */
export function closedObject(properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

/** Schemas of `POST /predict` and `POST /predict/batch`: requests and answers of this model. */
export function predictSchemas(service: DescribedService): Readonly<Record<string, JsonSchema>> {
  const { signature } = service
  const named = hasNamedFields(signature)
  const isPreprocessing = signature.inputs.some(({ steps }) => !isIdentity(steps))
  return {
    Sample: sampleSchema(service, false),
    ...(isPreprocessing ? { PreparedSample: sampleSchema(service, true) } : {}),
    ...(named ? { NamedFields: { ...namedFieldsSchema(signature.inputs), description: 'The values of a sample by their names.' } } : {}),
    PredictRequest: { anyOf: [...requestForms(service, isPreprocessing, named, false), ...imageForm(service)] },
    BatchRequest: { anyOf: requestForms(service, isPreprocessing, named, true) },
    SampleAnswer: closedObject(answerProperties(service), optionalInAnswers),
    PredictAnswer: closedObject(
      { version: versionSchema(service), ...answerProperties(service), latency_ms: latencySchema },
      optionalInAnswers,
    ),
    BatchAnswer: closedObject({
      version: versionSchema(service),
      count: { type: 'integer', minimum: 1, maximum: service.limits.batchSamples },
      results: { type: 'array', items: schemaRef('SampleAnswer') },
      latency_ms: latencySchema,
    }),
  }
}

const optionalInAnswers = ['prediction', 'embedding']
const latencySchema: JsonSchema = {
  type: 'number',
  minimum: 0,
  description: 'From the whole body to the finished answer, in milliseconds.',
}

/** The version that answered. */
export function versionSchema({ config, versions }: DescribedService): JsonSchema {
  return versions.length > 1 ? { enum: versions } : { const: config.version }
}

function sampleSchema({ signature }: DescribedService, preprocessed: boolean): JsonSchema {
  return {
    ...closedObject(Object.fromEntries(signature.inputs.map((input) => [input.port.name, inputSchema(input, preprocessed)]))),
    description: preprocessed ? "The model's inputs, preprocessed already." : 'The inputs of one sample.',
  }
}

/** All forms a request may have; with preprocessing the flag decides which values are meant. */
function requestForms(
  { signature, limits, form }: DescribedService,
  isPreprocessing: boolean,
  named: boolean,
  batch: boolean,
): JsonSchema[] {
  const flag = (value: boolean | null): JsonSchema => (value === null ? { type: 'boolean' } : { const: value })
  const embedding = form.embedding === null ? { const: false } : { type: 'boolean', description: `Answer "${form.embedding}" too.` }
  const list = (schema: JsonSchema) => ({ type: 'array', items: schema, minItems: 1, maxItems: limits.batchSamples })
  const make = (key: string, values: JsonSchema, preprocessed: boolean | null): JsonSchema =>
    closedObject(
      { [key]: values, preprocessed: flag(preprocessed), embedding },
      preprocessed ? ['embedding'] : ['preprocessed', 'embedding'],
    )
  const ofValues = (name: string, preprocessed: boolean | null): JsonSchema[] => {
    if (batch) return [make('inputs', list(schemaRef(name)), preprocessed)]
    const [only] = signature.inputs
    const single = signature.inputs.length === 1 && only ? [make('input', inputSchema(only, preprocessed ?? false), preprocessed)] : []
    return [make('inputs', schemaRef(name), preprocessed), ...single]
  }
  return [
    ...ofValues('Sample', isPreprocessing ? false : null),
    ...(isPreprocessing ? ofValues('PreparedSample', true) : []),
    ...(named ? [make('fields', batch ? list(schemaRef('NamedFields')) : schemaRef('NamedFields'), false)] : []),
  ]
}

/** An image file in JSON, for those who cannot send it as the body. */
function imageForm({ signature, form }: DescribedService): JsonSchema[] {
  if (!imageInput(signature)) return []
  const image = {
    type: 'string',
    minLength: 2,
    contentEncoding: 'base64',
    contentMediaType: 'image/*',
    description: 'An image file in base64.',
  }
  return [closedObject({ image, embedding: form.embedding === null ? { const: false } : { type: 'boolean' } }, ['embedding'])]
}

function answerProperties({ outputs, signature, form, config }: DescribedService): Record<string, JsonSchema> {
  const hasRows = signature.batching.kind !== 'single'
  const always = outputs.filter(({ name }) => form.outputs.includes(name))
  const embedding = outputs.find(({ name }) => name === form.embedding)
  const { labels } = config
  const prediction = closedObject({
    class: { type: 'integer', minimum: 0, ...(labels ? { maximum: Math.max(0, labels.length - 1) } : {}) },
    label: labels ? { enum: [...new Set(labels)] } : { type: 'null' },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
  })
  const isClassifier = labels !== null || config.accuracy !== null
  return {
    outputs: closedObject(Object.fromEntries(always.map((port) => [port.name, outputSchema(port, hasRows)]))),
    ...(isClassifier
      ? { prediction: { anyOf: [prediction, { type: 'null' }], description: 'Of classifiers; null when the scores are no numbers.' } }
      : {}),
    ...(embedding ? { embedding: outputSchema(embedding, hasRows) } : {}),
  }
}
