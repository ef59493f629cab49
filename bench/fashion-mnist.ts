import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FASHION_MNIST_FOLDER, IMAGE_SIZE, readFashionMnist } from '../scripts/training/fashion-mnist.ts'
import type { NamedTensors } from '../src/core/inference-runtime.ts'

const MODELS = new URL('../models/', import.meta.url)
const PIXELS = IMAGE_SIZE * IMAGE_SIZE

/** Path of a file in `models/`. */
export function sampleFile(name: string): string {
  return fileURLToPath(new URL(name, MODELS))
}

export function sampleModel(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, MODELS)))
}

/**
 * All 10,000 test images as the sample networks take them, one a feed, from the Debian package `dataset-fashion-mnist`.
 * @throws CoreError `FILE_NOT_FOUND` with what to install
 */
export function allTestImages(folder: string = FASHION_MNIST_FOLDER): {
  readonly feeds: readonly NamedTensors[]
  readonly labels: Uint8Array
} {
  const { count, pixels, labels } = readFashionMnist('test', folder)
  const feeds = Array.from({ length: count }, (_, index): NamedTensors => {
    const values = Float32Array.from(pixels.subarray(index * PIXELS, (index + 1) * PIXELS), (pixel) => pixel / 255)
    return { input: { type: 'float32', dims: [1, 1, IMAGE_SIZE, IMAGE_SIZE], values } }
  })
  return { feeds, labels }
}
