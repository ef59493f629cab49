import { create } from '@bufbuild/protobuf'
import { type ModelProto, ValueInfoProtoSchema } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import type { NamedTensors, RuntimeTensor } from '../../../src/core/inference-runtime.ts'
import type { ElementType } from '../../../src/core/onnx/data-types.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { inferShapes } from '../../../src/core/onnx/shape-inference.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { branching, classifier, weightValues } from './sample-models.ts'
import { build, computed, creation, elementwise, layout, matrices, selection, windows } from './shape-cases.ts'

/** Every tensor that a node makes becomes an output by name only: ONNX Runtime says what shape it really has. */
async function actualShapes(model: ModelProto): Promise<NamedTensors> {
  const graph = model.graph!
  graph.output = graph.node.flatMap(({ output }) =>
    output.filter((name) => name !== '').map((name) => create(ValueInfoProtoSchema, { name })),
  )
  const loaded = await onnxRuntime.load(encodeModel(model), { optimization: 'disabled' })
  try {
    return await loaded.run(
      Object.fromEntries(
        loaded.inputs.map(({ name, type, shape }) => [
          name,
          feed(
            type,
            shape.map((dim) => (typeof dim === 'number' ? dim : 1)),
          ),
        ]),
      ),
    )
  } finally {
    await loaded.close()
  }
}

function feed(type: ElementType, dims: number[]): RuntimeTensor {
  const count = dims.reduce((product, dim) => product * dim, 1)
  const values =
    type === 'int64'
      ? new BigInt64Array(count)
      : type === 'bool' || type === 'uint8'
        ? new Uint8Array(count)
        : type === 'int8'
          ? new Int8Array(count)
          : weightValues(count)
  return { type, dims, values }
}

/** Inference must be complete, and agree with ONNX Runtime, for every tensor of the model. */
async function expectRight(model: ModelProto): Promise<void> {
  const actual = await actualShapes(model)
  const { facts } = inferShapes(model, { singleSample: true })
  for (const [name, { type, dims }] of Object.entries(actual)) {
    expect({ name, type: facts.get(name)?.type, shape: facts.get(name)?.shape }).toEqual({ name, type, shape: dims })
  }
}

describe.each(Object.entries({ windows, elementwise, matrices, layout, selection, creation, computed }))(
  '%s: the same as ONNX Runtime',
  (_, cases) => {
    test.each(Object.entries(cases))('%s', async (_name, parts) => {
      await expectRight(build(parts))
    })
  },
)

test('a whole classifier and an If: the same as ONNX Runtime', async () => {
  await expectRight(classifier())
  await expectRight(branching())
})
