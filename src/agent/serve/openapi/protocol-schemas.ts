import { isIdentity } from '../../../core/datasets/preprocess.ts'
import type { Port } from '../../../core/inference-runtime.ts'
import { jsonValueSchema } from '../element-types.ts'
import { datatypes } from '../v2/tensor-bytes.ts'
import type { DescribedService } from './openapi-document.ts'
import { closedObject, schemaRef, versionSchema } from './predict-schemas.ts'
import { type JsonSchema, tensorDataSchema } from './value-schemas.ts'

/** Schemas of the Open Inference Protocol for this model. Parameters and further keys are free there, as the protocol says. */
export function protocolSchemas(service: DescribedService): Readonly<Record<string, JsonSchema>> {
  const { config, signature, outputs } = service
  const inputs = signature.inputs.map(({ port }) => port)
  const isRanged = signature.inputs.some(({ fields, steps }) => fields !== undefined && isIdentity(steps))
  return {
    InferRequest: {
      type: 'object',
      description: `Tensors as the model takes them: nothing is preprocessed.${isRanged ? ' Values must be in the ranges of their fields.' : ''}`,
      properties: {
        id: { type: 'string', maxLength: 1000 },
        parameters: { type: 'object', properties: { binary_data_output: { type: 'boolean' } } },
        inputs: { type: 'array', items: { oneOf: inputs.map(inputTensor) }, minItems: inputs.length, maxItems: inputs.length },
        outputs: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              name: { enum: outputs.map(({ name }) => name) },
              parameters: { type: 'object', properties: { binary_data: { type: 'boolean' } } },
            },
            required: ['name'],
          },
          maxItems: outputs.length,
        },
      },
      required: ['inputs'],
    },
    InferResponse: closedObject(
      {
        model_name: { const: config.service },
        model_version: versionSchema(service),
        id: { type: 'string' },
        outputs: { type: 'array', items: { oneOf: outputs.map(outputTensor) }, maxItems: outputs.length },
      },
      ['id'],
    ),
    ProtocolError: closedObject({ error: { type: 'string' } }),
    ServerMetadata: closedObject({
      name: { type: 'string' },
      version: { type: 'string' },
      extensions: { type: 'array', items: { type: 'string' } },
    }),
    ModelMetadata: closedObject({
      name: { const: config.service },
      versions: { const: service.versions },
      platform: { const: 'onnx_onnxv1' },
      inputs: { type: 'array', items: schemaRef('TensorMetadata') },
      outputs: { type: 'array', items: schemaRef('TensorMetadata') },
    }),
    TensorMetadata: closedObject({
      name: { type: 'string' },
      datatype: { enum: [...new Set([...inputs, ...outputs].map(datatypeOf))] },
      shape: { type: 'array', items: { type: 'integer', minimum: -1 } },
    }),
  }
}

/** As the protocol calls the type of a tensor. */
export function datatypeOf({ type }: Port): string {
  return datatypes[type] ?? type.toUpperCase()
}

function inputTensor(port: Port): JsonSchema {
  const dims = port.shape.map((dim) => (typeof dim === 'number' ? { const: dim } : { type: 'integer', minimum: 1 }))
  return {
    type: 'object',
    properties: {
      name: { const: port.name },
      shape: {
        type: 'array',
        ...(dims.length > 0 ? { prefixItems: dims } : {}),
        items: false,
        minItems: dims.length,
        maxItems: dims.length,
      },
      datatype: { const: datatypeOf(port) },
      parameters: { type: 'object' },
      data: { ...tensorDataSchema(port), description: 'As many values as the shape says.' },
    },
    required: ['name', 'shape', 'datatype', 'data'],
  }
}

function outputTensor(port: Port): JsonSchema {
  return closedObject({
    name: { const: port.name },
    datatype: { const: datatypeOf(port) },
    shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
    data: { type: 'array', items: jsonValueSchema(port.type) },
  })
}
