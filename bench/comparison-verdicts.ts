// Do verdicts of comparisons hold on this machine? The same build is compared with itself again and again (A/A), and with one that is made
// about 10 % slower on purpose (A/B), all through the program's own comparison: interleaved blocks in fresh processes.
//
//   node bench/comparison-verdicts.ts [--comparisons 50] [--blocks 10] [--max-blocks 100] [--block-ms 150] [--slower 0.1]
//
// Prints a line a comparison and a summary, and exits with 1 when more than one A/A in ten gets a wrong verdict, or fewer than 47 in 50
// slower builds are called slower (the bars of the project). Run it on a machine as noisy as yours is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Backend, openBackend } from '../src/backend/backend.ts'
import { LOCAL_DEVICE_ID } from '../src/contract/device.ts'
import type { Comparison } from '../src/contract/measurement.ts'
import { makeModel, makeNode, makeValueInfo } from '../src/core/onnx/builders.ts'
import { encodeModel } from '../src/core/onnx/model-file.ts'
import { makeTensor } from '../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../src/core/statistics/seeded-random.ts'

/** Weights of all layers stay in the processor's second cache: what neighbours do to the third is another question. */
const WIDTH = 64
const ROWS = 128
/** Layers of the baseline: one more in ten of them is 10 % more work. */
const LAYERS = 20

/** Equal fully connected layers in a row. The seed makes two files of the same work different files, which the workspace keeps apart. */
function chain(layers: number, seed: number): Uint8Array {
  const random = seededRandom(seed)
  const name = (index: number) => (index === 0 ? 'x' : index === layers ? 'y' : `h${index}`)
  return encodeModel(
    makeModel({
      nodes: Array.from({ length: layers }, (_, index) => makeNode('MatMul', [name(index), `w${index}`], [name(index + 1)])),
      inputs: [makeValueInfo('x', 'float32', [ROWS, WIDTH])],
      outputs: [makeValueInfo('y', 'float32', [ROWS, WIDTH])],
      initializers: Array.from({ length: layers }, (_, index) =>
        makeTensor(
          `w${index}`,
          'float32',
          [WIDTH, WIDTH],
          Float32Array.from({ length: WIDTH * WIDTH }, () => (random.uniform() - 0.5) / 8),
        ),
      ),
    }),
  )
}

const { values } = parseArgs({
  options: {
    comparisons: { type: 'string', default: '50' },
    blocks: { type: 'string', default: '10' },
    'max-blocks': { type: 'string', default: '100' },
    'block-ms': { type: 'string', default: '150' },
    slower: { type: 'string', default: '0.1' },
  },
})
const [comparisons, blocks, maxBlocks, blockMs, slower] = [
  values.comparisons,
  values.blocks,
  values['max-blocks'],
  values['block-ms'],
  values.slower,
].map(Number) as [number, number, number, number, number]

async function importChain(backend: Backend, folder: string, name: string, layers: number, seed: number): Promise<string> {
  const path = join(folder, `${name}.onnx`)
  writeFileSync(path, chain(layers, seed))
  return (await backend.call('models.import', { path })).id
}

async function compare(backend: Backend, baselineId: string, modelIds: string[]): Promise<Comparison> {
  const { jobId } = await backend.call('compare.start', {
    baselineId,
    modelIds,
    deviceId: LOCAL_DEVICE_ID,
    blocks,
    maxBlocks,
    settings: { batch: ROWS, seconds: (blocks * blockMs) / 1000, warmupRuns: 20, warmupSeconds: 0.5 },
  })
  const job = await backend.call('jobs.wait', { id: jobId })
  if (job.state !== 'succeeded') throw new Error(`${job.error?.code}: ${job.error?.message}`)
  return job.result as Comparison
}

const folder = mkdtempSync(join(tmpdir(), 'edgesmith-verdicts-'))
const secrets = { get: async () => null, put: async () => {}, remove: async () => {} }
const backend = await openBackend({ workspace: join(folder, 'workspace'), secrets })
try {
  const a = await importChain(backend, folder, 'a', LAYERS, 1)
  const same = await importChain(backend, folder, 'same', LAYERS, 2)
  const more = await importChain(backend, folder, 'more', Math.round(LAYERS * (1 + slower)), 3)
  let wrong = 0
  let found = 0
  const ratios: number[] = []
  for (let index = 0; index < comparisons; index++) {
    const { rows } = await compare(backend, a, [same, more])
    const [sameRow, moreRow] = rows.slice(1)
    if (sameRow?.speedup?.verdict !== 'no difference shown') wrong++
    if (moreRow?.speedup?.verdict === 'slower') found++
    ratios.push(sameRow?.speedup?.estimate ?? Number.NaN)
    const show = (row: typeof sameRow) =>
      `${row?.speedup?.estimate.toFixed(3)} [${row?.speedup?.ci95.map((end) => end.toFixed(3)).join(', ')}] ${row?.speedup?.verdict} (${row?.speedup?.blocks})`
    console.log(`${String(index + 1).padStart(3)}  A/A ${show(sameRow)}   A/B ${show(moreRow)}   ${rows[0]?.noise.label}`)
  }
  const logs = ratios.map(Math.log)
  const spread = Math.sqrt(logs.reduce((sum, log) => sum + log * log, 0) / logs.length)
  console.log(
    `A/A: ${wrong} of ${comparisons} wrong verdicts; ratio within ±${(100 * spread).toFixed(2)} % (root mean square). ` +
      `${(100 * slower).toFixed(0)} % slower: ${found} of ${comparisons} called slower. ${blocks} to ${maxBlocks} blocks of ${blockMs} ms each.`,
  )
  process.exitCode = wrong * 10 <= comparisons && found * 50 >= 47 * comparisons ? 0 : 1
} finally {
  await backend.close()
  rmSync(folder, { recursive: true, force: true })
}
