// What channel pruning costs in accuracy and gains in speed: the sample networks pruned by 10 to 70 % of their multiply-accumulates with
// calibration images, evaluated on all test images, timed in turn with the source model.
//
//   node bench/channel-pruning.ts [--networks fashion-cnn,fashion-mobilenet] [--amounts 0.1,0.3,0.5,0.7] [--samples 512] [--blocks 10]
//
// Prints one line for each build. Exits with 1 when the CNN at 50 % loses 4 points or more, or is not faster.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { DatasetSource } from '../src/contract/dataset.ts'
import { pruneChannelsStepSchema } from '../src/contract/recipe.ts'
import { decodeModel, encodeModel } from '../src/core/onnx/model-file.ts'
import { speedup } from '../src/core/statistics/speedup.ts'
import { type OpenDataset, openDataset } from '../src/engine/datasets/open-dataset.ts'
import { correctAnswers } from '../src/engine/measure/predictions.ts'
import { timeRuns } from '../src/engine/measure/timed-runs.ts'
import { calibrationFeeds } from '../src/engine/optimize/calibration-feeds.ts'
import { channelsStep } from '../src/engine/optimize/channels-step.ts'
import { onnxRuntime } from '../src/engine/runtimes/onnx-runtime.ts'
import { openPreparedModel } from '../src/engine/runtimes/prepared-model.ts'

const BATCH = 100
const BLOCK_MS = 200

function path(name: string): string {
  return fileURLToPath(new URL(`../models/${name}`, import.meta.url))
}

function dataset(name: string): DatasetSource {
  return { format: 'npz', name, files: [{ role: 'samples', path: path(name) }], preprocessing: {} }
}

/** Percent of right answers. */
async function accuracy(model: Uint8Array, images: OpenDataset): Promise<number> {
  const loaded = await onnxRuntime.load(model)
  try {
    const correct = await correctAnswers(loaded, images, { name: 'test images', batch: BATCH })
    return (100 * correct.reduce((sum, right) => sum + right, 0)) / correct.length
  } finally {
    await loaded.close()
  }
}

/** Times source and build in turn, A B B A …, one image a run. */
async function faster(source: Uint8Array, build: Uint8Array, images: OpenDataset, blocks: number): Promise<ReturnType<typeof speedup>> {
  const models = [await openPreparedModel(source, 1), await openPreparedModel(build, 1)]
  const sides = models.map((model) => ({ run: model.prepare(images.batch(0, 1)), blocks: [] as Float32Array[] }))
  const enough = (_: number, elapsedMs: number): boolean => elapsedMs >= BLOCK_MS
  for (let block = 0; block <= blocks; block++)
    for (const { run, blocks: times } of block % 2 === 0 ? sides : [...sides].reverse()) {
      const { latenciesMs } = await timeRuns(run, { enough, onTick: () => {}, signal: new AbortController().signal })
      // The first block of each warms up.
      if (block > 0) times.push(latenciesMs)
    }
  for (const model of models) await model.close()
  return speedup(sides[0]!.blocks, sides[1]!.blocks, 1)
}

const { values } = parseArgs({
  options: {
    networks: { type: 'string', default: 'fashion-cnn,fashion-mobilenet' },
    amounts: { type: 'string', default: '0.1,0.2,0.3,0.4,0.5,0.6,0.7' },
    samples: { type: 'string', default: '512' },
    blocks: { type: 'string', default: '10' },
  },
})
let good = true
console.log('network            amount   MACs  params   bytes  accuracy  change  speed-up (95 %)      seconds')
for (const network of values.networks.split(',')) {
  const source = await readFile(path(`${network}.onnx`))
  const ports = await onnxRuntime.load(source)
  await ports.close()
  const [images, calibration] = [
    await openDataset(dataset('fashion-mnist-test.npz'), ports.inputs),
    await openDataset(dataset('fashion-mnist-calibration.npz'), ports.inputs),
  ]
  const before = await accuracy(source, images)
  console.log(`${network.padEnd(18)}   none                ${String(source.length).padStart(7)}  ${before.toFixed(2)}`)
  for (const amount of values.amounts.split(',').map(Number)) {
    const started = performance.now()
    const result = await channelsStep(decodeModel(source, network), pruneChannelsStepSchema.parse({ recipe: 'prune-channels', amount }), {
      runtime: onnxRuntime,
      target: 'x64',
      calibration: calibrationFeeds(calibration, Number(values.samples)),
      budget: undefined,
      progress: () => {},
      log: () => {},
    })
    const seconds = (performance.now() - started) / 1000
    const build = encodeModel(result.model)
    const facts = result.facts!.channelPruning!
    const after = await accuracy(build, images)
    const { estimate, ci95, verdict } = await faster(source, build, images, Number(values.blocks))
    const share = (part: number | null, whole: number | null): string => `${((100 * part!) / whole!).toFixed(1)} %`.padStart(7)
    console.log(
      `${network.padEnd(18)} ${amount.toFixed(2).padStart(6)} ${share(facts.macsAfter, facts.macsBefore)} ${share(facts.parametersAfter, facts.parametersBefore)} ` +
        `${String(build.length).padStart(7)}  ${after.toFixed(2)}    ${(after - before).toFixed(2).padStart(6)}  ${estimate.toFixed(2)}x (${ci95.map((end) => end.toFixed(2)).join('–')})  ${seconds.toFixed(1).padStart(8)}`,
    )
    if (network === 'fashion-cnn' && amount === 0.5 && (after < before - 4 || verdict !== 'faster')) good = false
  }
}
process.exitCode = good ? 0 : 1
