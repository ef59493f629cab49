import '../../src/engine/runtimes/no-telemetry.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { IMAGE_SIZE, type LabelledImages } from './fashion-mnist.ts'

/** Right answers among so many. */
export interface Accuracy {
  readonly correct: number
  readonly samples: number
}

/** Images per run; results do not depend on it. */
const BATCH = 200

/** Runs a model (`input` [N,1,28,28] to `probabilities` [N,K]) on all images and says for each whether its highest output is the label. */
export async function rightAnswers(model: Uint8Array, images: LabelledImages, threads: number): Promise<boolean[]> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: threads })
  const pixels = IMAGE_SIZE * IMAGE_SIZE
  const right: boolean[] = []
  try {
    for (let start = 0; start < images.count; start += BATCH) {
      const end = Math.min(images.count, start + BATCH)
      const values = Float32Array.from(images.pixels.subarray(start * pixels, end * pixels), (pixel) => pixel / 255)
      const input = new Tensor('float32', values, [end - start, 1, IMAGE_SIZE, IMAGE_SIZE])
      const { probabilities } = await session.run({ input })
      const scores = probabilities?.data as Float32Array
      const classes = scores.length / (end - start)
      for (let index = start; index < end; index++) {
        right.push(indexOfHighest(scores.subarray((index - start) * classes, (index - start + 1) * classes)) === images.labels[index])
      }
    }
  } finally {
    await session.release()
  }
  return right
}

/** Place of the highest score; the first one when several are equal. */
export function indexOfHighest(scores: Float32Array): number {
  return scores.reduce((best, score, index) => (score > (scores[best] as number) ? index : best), 0)
}
