import type { SelfTestResult } from '../contract/agent-protocol.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { makeModel, makeNode, makeValueInfo } from '../core/onnx/builders.ts'
import { encodeModel } from '../core/onnx/model-file.ts'
import { makeTensor } from '../core/onnx/tensor-values.ts'
import { onnxRuntime, onnxRuntimeVersion } from '../engine/runtimes/onnx-runtime.ts'
import { agentVersion } from './agent-version.ts'

/** Small whole numbers: the right answer is exact on every processor, anything else is a broken runtime. */
const INPUT = [1, 2, -3]
const WEIGHTS = [2, -1, 0, 1, 3, -2, -4, 0, 1]
const BIAS = [-10, 0, 20]
/** Relu(INPUT · WEIGHTS + BIAS): 2·1 + 1·2 + 4·3 − 10 = 6; −1 + 6 + 0 = 5; −4 − 3 + 20 = 13. */
const EXPECTED = [6, 5, 13]

/**
 * Loads ONNX Runtime, runs a tiny model (fully connected layer, Relu) and compares the answer with the known one.
 * @param images the image library belongs to this agent, and decodes a tiny picture too
 * @throws EdgesmithError `DEVICE_UNSUPPORTED` when an answer is wrong or the image library does not run
 */
export async function selfTest(images: boolean): Promise<SelfTestResult> {
  if (images) await (await import('./image-self-test.ts')).imageSelfTest()
  const model = await onnxRuntime.load(tinyModel())
  try {
    const { y } = await model.run({ x: { type: 'float32', dims: [1, 3], values: Float32Array.from(INPUT) } })
    const answer = y?.values as Float32Array
    const maxAbsDiff = Math.max(...EXPECTED.map((expected, i) => Math.abs(expected - (answer[i] ?? Number.NaN))))
    if (!(maxAbsDiff <= 1e-5)) {
      throw new EdgesmithError('DEVICE_UNSUPPORTED', `ONNX Runtime gives wrong results on this device: ${answer.join(', ')}.`, {
        hint: 'Check the device for memory or cooling faults; the processor may lack instructions it claims to have.',
        details: { expected: EXPECTED, found: [...answer] },
      })
    }
    return {
      edgesmithVersion: agentVersion,
      nodeVersion: process.versions.node,
      onnxRuntimeVersion,
      architecture: process.arch,
      maxAbsDiff,
    }
  } finally {
    await model.close()
  }
}

function tinyModel(): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode('Gemm', ['x', 'weights', 'bias'], ['sum']), makeNode('Relu', ['sum'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [1, 3])],
      outputs: [makeValueInfo('y', 'float32', [1, 3])],
      initializers: [
        makeTensor('weights', 'float32', [3, 3], Float32Array.from(WEIGHTS)),
        makeTensor('bias', 'float32', [3], Float32Array.from(BIAS)),
      ],
    }),
  )
}
