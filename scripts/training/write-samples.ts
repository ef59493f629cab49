// Writes the test and the calibration sample of Fashion-MNIST with their entries in MANIFEST.json. See README.md.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CoreError } from '../../src/core/core-error.ts'
import { requireWritableFolder, runProgram } from './command-line.ts'
import {
  FASHION_MNIST_FOLDER,
  FASHION_MNIST_LABELS,
  IMAGE_SIZE,
  type LabelledImages,
  readFashionMnist,
  selectImages,
  stratifiedIndices,
} from './fashion-mnist.ts'
import { writeWithManifest } from './manifest.ts'
import { encodeNpz } from './npz.ts'
import { FASHION_MNIST_LICENCE, FASHION_MNIST_ORIGIN, sourcesOf, toolVersions } from './provenance.ts'
import { SAMPLE_FILES } from './sample-files.ts'

const USAGE = 'node scripts/training/write-samples.ts [--data FOLDER] [--out models]'

async function main(): Promise<void> {
  const { data, out } = readArguments()
  requireWritableFolder(out)
  for (const { file, part, count } of Object.values(SAMPLE_FILES)) {
    const all = readFashionMnist(part, data)
    const chosen = selectImages(all, stratifiedIndices(all.labels, count))
    const shape = [count, 1, IMAGE_SIZE, IMAGE_SIZE]
    const bytes = encodeNpz({
      input: { shape, values: Float32Array.from(chosen.pixels, (pixel) => pixel / 255) },
      labels: { shape: [count], values: BigInt64Array.from(chosen.labels, BigInt) },
    })
    const entry = writeWithManifest(join(out, file), bytes, {
      kind: 'dataset',
      description: `${count} Fashion-MNIST ${part === 'train' ? 'training' : 'test'} images with labels, pixels scaled from 0..255 to 0..1.`,
      origin: FASHION_MNIST_ORIGIN,
      licence: FASHION_MNIST_LICENCE,
      made: {
        command: 'node scripts/training/write-samples.ts',
        tools: toolVersions('fflate'),
        selection: 'the first images of each class, in file order',
        imagesPerClass: imagesPerClass(chosen),
        sources: sourcesOf(all),
      },
      arrays: [
        { name: 'input', type: 'float32', shape },
        { name: 'labels', type: 'int64', shape: [count] },
      ],
    })
    console.log(`${join(out, file)}: ${count} images, ${entry.sizeBytes} bytes`)
  }
}

function imagesPerClass(images: LabelledImages): Record<string, number> {
  return Object.fromEntries(FASHION_MNIST_LABELS.map((name, label) => [name, images.labels.filter((entry) => entry === label).length]))
}

function readArguments(): { data: string; out: string } {
  try {
    const text = { type: 'string' } as const
    return parseArgs({ options: { data: { ...text, default: FASHION_MNIST_FOLDER }, out: { ...text, default: 'models' } } }).values
  } catch (error) {
    throw new CoreError('USAGE', error instanceof Error ? error.message : String(error), { hint: USAGE })
  }
}

await runProgram(main)
