// Evaluates the sample networks on all 10,000 test images of Fashion-MNIST, streamed from plain arrays on the disk, and counts again with a
// loop of its own, one image at a time. Needs the Debian package dataset-fashion-mnist.
//
//   node bench/evaluation.ts [--batch 32]
//
// Prints one line a network and exits with 1 when the counts differ.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readFashionMnist } from '../scripts/training/fashion-mnist.ts'
import type { DatasetSource } from '../src/contract/dataset.ts'
import { writeNpy } from '../src/core/datasets/write-npz.ts'
import type { RuntimeTensor } from '../src/core/inference-runtime.ts'
import { evaluate } from '../src/engine/measure/evaluate.ts'
import { onnxRuntime } from '../src/engine/runtimes/onnx-runtime.ts'
import { allTestImages, sampleFile, sampleModel } from './fashion-mnist.ts'
import { machineLine, markdownTable } from './markdown.ts'

const { values: options } = parseArgs({ options: { batch: { type: 'string', default: '32' } } })
const context = { reporter: { progress: () => {}, log: console.error }, signal: new AbortController().signal, edgesmithVersion: 'bench' }
const folder = mkdtempSync(join(tmpdir(), 'edgesmith-evaluation-'))

/** The first `samples` images as they are on the disk, bytes. */
function plainArrays(samples: number): DatasetSource {
  const { pixels, labels } = readFashionMnist('test')
  const file = (name: string, shape: number[], bytes: Uint8Array) => {
    const path = join(folder, `${samples}-${name}.npy`)
    writeFileSync(path, writeNpy({ name, type: 'uint8', shape, bytes }))
    return { role: 'array' as const, name, path }
  }
  const files = [
    file('input', [samples, 28, 28], pixels.subarray(0, samples * 28 * 28)),
    file('labels', [samples], labels.subarray(0, samples)),
  ]
  return { format: 'arrays', name: `fashion-mnist-${samples}`, files, preprocessing: { scale: 1 / 255 } }
}

async function countAgain(model: Uint8Array): Promise<number> {
  const { feeds, labels } = allTestImages()
  const loaded = await onnxRuntime.load(model)
  let correct = 0
  for (const [index, feed] of feeds.entries()) {
    const [output] = Object.values(await loaded.run(feed)) as [RuntimeTensor]
    const scores = [...(output.values as Float32Array)]
    if (scores.indexOf(Math.max(...scores)) === labels[index]) correct++
  }
  await loaded.close()
  return correct
}

try {
  const [few, all] = [plainArrays(500), plainArrays(10_000)]
  const rows: string[][] = []
  let differences = 0
  for (const name of ['fashion-cnn.onnx', 'fashion-mobilenet.onnx']) {
    const order = { model: sampleFile(name), batch: Number(options.batch), threads: 1 }
    await evaluate({ ...order, dataset: few }, onnxRuntime, context)
    const before = process.resourceUsage().maxRSS
    const found = await evaluate({ ...order, dataset: all }, onnxRuntime, context)
    const grownMegabytes = ((process.resourceUsage().maxRSS - before) * 1024) / 1e6
    const counted = await countAgain(sampleModel(name))
    const correct = found.classification?.correct ?? Number.NaN
    if (counted !== correct) differences++
    const [low, high] = found.metrics.accuracyCi95 ?? []
    rows.push([
      name,
      `${correct} of ${found.samples}`,
      `${counted}`,
      `${((low ?? 0) * 100).toFixed(2)} – ${((high ?? 0) * 100).toFixed(2)} %`,
      `${Math.round(found.samples / (found.durationMs / 1000))}`,
      `${grownMegabytes.toFixed(1)} MB`,
    ])
  }
  console.log(markdownTable(['model', 'right', 'counted again', '95 % interval', 'samples a second', 'memory beyond 500 samples'], rows))
  console.log(`\n${machineLine()}`)
  process.exitCode = differences > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true })
}
