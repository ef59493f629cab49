import type { ServiceLive } from '../../src/contract/service-protocol.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import type { Workbench } from './workbench.ts'

/** Names of what {@link riskModel} takes. */
export const FEATURES = ['age', 'income', 'debt', 'tenure'] as const
const CLASSES = 3
/** Enough for a reference of drift. */
const ROWS = 1200

/** A model from {@link FEATURES} to three classes. */
export function riskModel(seed: number): Uint8Array {
  const random = seededRandom(seed)
  const weights = Float32Array.from({ length: FEATURES.length * CLASSES }, () => (random.uniform() - 0.5) / 20)
  return encodeModel(
    makeModel({
      nodes: [makeNode('Gemm', ['x', 'w', 'b'], ['scores']), makeNode('Softmax', ['scores'], ['risk'], { axis: 1 })],
      initializers: [
        makeTensor('w', 'float32', [FEATURES.length, CLASSES], weights),
        makeTensor('b', 'float32', [CLASSES], Float32Array.of(0.1, 0, -0.1)),
      ],
      inputs: [makeValueInfo('x', 'float32', ['N', FEATURES.length])],
      outputs: [makeValueInfo('risk', 'float32', ['N', CLASSES])],
    }),
  )
}

/** A model that answers the mean of each channel of an 8×8 image. */
export function colourModel(): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode('ReduceMean', ['image'], ['means'], { axes: [2, 3], keepdims: 0 })],
      inputs: [makeValueInfo('image', 'float32', ['N', 3, 8, 8])],
      outputs: [makeValueInfo('means', 'float32', ['N', 3])],
      opset: 17,
    }),
  )
}

/** Samples of {@link riskModel} with their classes, as CSV. */
export function clients(): string {
  const random = seededRandom(3)
  const row = (index: number) => [...FEATURES.map((_, column) => (20 + column * 10 + random.uniform() * 50).toFixed(2)), index % CLASSES]
  return [[...FEATURES, 'label'], ...Array.from({ length: ROWS }, (_, index) => row(index))].map((cells) => cells.join(',')).join('\n')
}

/** What the service answers of itself, asked beside the window. */
export function live({ page, query }: Workbench): Promise<ServiceLive> {
  const [row] = query<{ id: string }>('select id from deployments')
  return page.evaluate(async (id) => {
    const answer = await window.edgesmith.call('deployments.live', { id })
    if (!answer.ok) throw new Error(answer.error.message)
    return answer.output
  }, row?.id ?? '')
}

/** Sends predictions, one after another. */
export function predict({ page, query }: Workbench, count: number): Promise<void> {
  const [row] = query<{ id: string }>('select id from deployments')
  return page.evaluate(
    async ({ id, requests }) => {
      for (let index = 0; index < requests; index++) {
        const body = { fields: { age: 30 + (index % 30), income: 45, debt: 60, tenure: 70 } }
        const answer = await window.edgesmith.call('deployments.ask', { id, body })
        if (!answer.ok || answer.output.httpStatus !== 200) throw new Error(JSON.stringify(answer))
      }
    },
    { id: row?.id ?? '', requests: count },
  )
}
