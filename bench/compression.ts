// What each recipe does to the sample networks: accuracy on all 10,000 Fashion-MNIST test images, file size, latency and output signal to
// noise against the float32 model. Calibration: the 512 training images of models/.
//
//   node bench/compression.ts [--data FOLDER] [--only fashion-cnn]
//
// Needs the Debian package dataset-fashion-mnist. Prints one Markdown table a network.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FASHION_MNIST_FOLDER } from '../scripts/training/fashion-mnist.ts'
import { toErrorReport } from '../src/contract/errors.ts'
import { type RecipeStep, recipeStepSchemas } from '../src/contract/recipe.ts'
import { closeness, correctAnswers, decibels, milliseconds, sideBySide, timesFaster } from './builds-side-by-side.ts'
import { allTestImages, sampleFile, sampleModel } from './fashion-mnist.ts'
import { machineLine, markdownTable } from './markdown.ts'
import { optimizeMeasured } from './measured-engine.ts'

const NETWORKS = ['fashion-cnn', 'fashion-mobilenet']
const CALIBRATION_SAMPLES = 512
/** Of the test images, for the signal to noise ratio. */
const COMPARED_IMAGES = 1000

function step(recipe: keyof typeof recipeStepSchemas, settings: Readonly<Record<string, unknown>> = {}): RecipeStep {
  return recipeStepSchemas[recipe].parse({ recipe, ...settings })
}

const RECIPES: Readonly<Record<string, readonly RecipeStep[]>> = {
  fp16: [step('fp16')],
  'fp16 weights only': [step('fp16', { weightsOnly: true })],
  'int8-dynamic': [step('int8-dynamic')],
  'int8-static': [step('int8-static')],
  'int8-static, minmax': [step('int8-static', { calibrator: 'minmax' })],
  'int8-static, percentile': [step('int8-static', { calibrator: 'percentile' })],
  'int8-static, entropy': [step('int8-static', { calibrator: 'entropy' })],
  'int8-static, mse': [step('int8-static', { calibrator: 'mse' })],
  'int8-static, reduced range': [step('int8-static', { weightScale: 'reduced-range' })],
  'int8-static, full range': [step('int8-static', { weightScale: 'full-range' })],
  'int8-weights': [step('int8-weights')],
  'int4-weights': [step('int4-weights')],
  'prune-magnitude 50 %, magnitude': [step('prune-magnitude', { method: 'magnitude' })],
  'prune-magnitude 50 %, wanda': [step('prune-magnitude', { method: 'wanda' })],
  'prune-magnitude 50 %, sparsegpt': [step('prune-magnitude', { method: 'sparsegpt' })],
  'prune-channels 50 % of MACs': [step('prune-channels')],
  'prune-channels 50 % of MACs, int8-static': [step('prune-channels'), step('int8-static')],
}

interface Row {
  readonly name: string
  readonly bytes: Uint8Array
  readonly seconds: number | null
}

async function table(network: string): Promise<string> {
  const source = sampleModel(`${network}.onnx`)
  const rows: Row[] = [{ name: 'float32', bytes: source, seconds: null }]
  const refused: string[] = []
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-compression-'))
  try {
    for (const [name, recipe] of Object.entries(RECIPES)) {
      const outPath = join(folder, 'build.onnx')
      const files = { modelPath: sampleFile(`${network}.onnx`), samplesPath: sampleFile('fashion-mnist-calibration.npz') }
      try {
        const { value } = await optimizeMeasured({ ...files, samples: CALIBRATION_SAMPLES, outPath }, recipe)
        rows.push({ name, bytes: new Uint8Array(readFileSync(outPath)), seconds: value.durationMs / 1000 })
      } catch (error) {
        const { code, message } = toErrorReport(error)
        refused.push(`- ${name}: ${code}, ${message}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const { feeds, labels } = images
  const latencies = await sideBySide(
    rows.map(({ bytes }) => bytes),
    feeds[0]!,
  )
  const cells: string[][] = []
  for (const [index, { name, bytes, seconds }] of rows.entries()) {
    const correct = await correctAnswers(bytes, feeds, labels)
    const { worstDb } = index === 0 ? { worstDb: null } : await closeness(source, bytes, feeds.slice(0, COMPARED_IMAGES))
    cells.push([
      name,
      `${((correct / feeds.length) * 100).toFixed(2)} %`,
      (bytes.length / 1000).toFixed(0),
      (bytes.length / source.length).toFixed(3),
      milliseconds(latencies[index]!),
      index === 0 ? '1' : timesFaster(latencies[index]!),
      index === 0 ? '' : decibels(worstDb),
      seconds === null ? '' : seconds.toFixed(1),
    ])
  }
  const heading = ['recipe', 'accuracy', 'size kB', 'size ratio', 'median ms', 'times faster (95 %)', 'SQNR dB', 'seconds to make']
  return [`### ${network}`, '', markdownTable(heading, cells), ...(refused.length > 0 ? ['', 'Refused:', '', ...refused] : []), ''].join(
    '\n',
  )
}

const { values: options } = parseArgs({
  options: { data: { type: 'string', default: FASHION_MNIST_FOLDER }, only: { type: 'string', default: '' } },
})
const images = allTestImages(options.data)
console.log(`Target x64, one thread, batch 1. ${machineLine()}\n`)
for (const network of NETWORKS.filter((name) => name.includes(options.only))) console.log(await table(network))
