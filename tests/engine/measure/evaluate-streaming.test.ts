import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { decodeWire } from '../../../src/contract/agent-wire.ts'
import type { DatasetSource } from '../../../src/contract/dataset.ts'
import { parseNpz } from '../../../src/core/datasets/npz.ts'
import { npyHeader } from '../../../src/core/datasets/write-npz.ts'
import type { RuntimeTensor } from '../../../src/core/inference-runtime.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

const SAMPLES = 10_000
const PIXELS = 28 * 28
const CLASSES = 10
const models = join(import.meta.dirname, '../../../models')

let folder: string
/** The bundled test images and their labels, fewer than the whole test set has. */
let images: Float32Array
let labels: Uint8Array
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-streaming-'))
  const arrays = parseNpz(new Uint8Array(await readFile(join(models, 'fashion-mnist-test.npz'))), 'test images')
  const read = (wanted: string) => {
    const array = arrays.find(({ name }) => name === wanted)?.read()
    if (!array) throw new Error(`no ${wanted}`)
    return array.bytes
  }
  const pixels = read('input')
  images = new Float32Array(pixels.buffer.slice(pixels.byteOffset, pixels.byteOffset + pixels.byteLength))
  const wide = read('labels')
  const words = new BigInt64Array(wide.buffer.slice(wide.byteOffset, wide.byteOffset + wide.byteLength))
  labels = Uint8Array.from(words, Number)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The first `samples` images, repeated where there are no more, as plain arrays of float64 on the disk. */
async function writeDataset(name: string, samples: number): Promise<DatasetSource> {
  const paths = [join(folder, `${name}-input.npy`), join(folder, `${name}-labels.npy`)] as const
  const repeated = new Float64Array(samples * PIXELS)
  for (let i = 0; i < repeated.length; i++) repeated[i] = images[i % images.length] as number
  await writeFile(paths[0], Buffer.concat([npyHeader('float64', [samples, 1, 28, 28]), new Uint8Array(repeated.buffer)]))
  const own = Int32Array.from({ length: samples }, (_, i) => labels[i % labels.length] as number)
  await writeFile(paths[1], Buffer.concat([npyHeader('int32', [samples]), new Uint8Array(own.buffer)]))
  return {
    format: 'arrays',
    name,
    files: [
      { role: 'array', name: 'input', path: paths[0] },
      { role: 'array', name: 'labels', path: paths[1] },
    ],
    preprocessing: {},
  }
}

/** Counted again: one image at a time through the runtime, the highest of ten scores by hand. */
async function countAgain() {
  const model = await onnxRuntime.load(new Uint8Array(await readFile(join(models, 'fashion-cnn.onnx'))))
  const answers: number[] = []
  const inTopFive: boolean[] = []
  for (let i = 0; i < labels.length; i++) {
    const values = images.slice(i * PIXELS, (i + 1) * PIXELS)
    const outputs = await model.run({ input: { type: 'float32', dims: [1, 1, 28, 28], values } })
    const scores = [...((Object.values(outputs)[0] as RuntimeTensor).values as Float32Array)]
    answers.push(scores.indexOf(Math.max(...scores)))
    const own = scores[labels[i] as number] as number
    inTopFive.push(scores.filter((score) => score > own).length < 5)
  }
  await model.close()
  let [correct, topFive] = [0, 0]
  const confusion = new Array<number>(CLASSES * CLASSES).fill(0)
  for (let i = 0; i < SAMPLES; i++) {
    const image = i % labels.length
    const [label, answer] = [labels[image] as number, answers[image] as number]
    if (label === answer) correct++
    if (inTopFive[image]) topFive++
    const cell = label * CLASSES + answer
    confusion[cell] = (confusion[cell] as number) + 1
  }
  return { correct, topFive, confusion }
}

it('streams 10,000 images in bounded memory, and counts what an independent count finds', async () => {
  const order = join(folder, 'order.json')
  const result = join(folder, 'result.json')
  const [few, all] = [await writeDataset('few', 500), await writeDataset('all', SAMPLES)]
  await writeFile(order, JSON.stringify({ model: join(models, 'fashion-cnn.onnx'), few, all }))
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL('./evaluate-program.ts', import.meta.url)), order, result])
  const found = z
    .looseObject({
      task: z.string(),
      samples: z.number(),
      metrics: z.looseObject({ accuracy: z.number(), top5: z.number() }),
      classification: z.looseObject({ confusion: z.array(z.number()) }),
      perSample: z.looseObject({ labels: z.instanceof(Int32Array) }),
      grownBytes: z.number(),
    })
    .parse(decodeWire(await readFile(result, 'utf8')))
  const { correct, topFive, confusion } = await countAgain()
  expect(found).toMatchObject({
    task: 'classification',
    samples: SAMPLES,
    metrics: { accuracy: correct / SAMPLES, top5: topFive / SAMPLES },
  })
  expect(found.classification.confusion).toEqual(confusion)
  expect(found.perSample.labels).toHaveLength(SAMPLES)
  // The images take 63 MB on the disk; what grows is batches that wait for the collector.
  expect(found.grownBytes).toBeLessThan(48 * 2 ** 20)
}, 120_000)
