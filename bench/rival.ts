// ONNX Runtime's Python quantizer beside ours: static int8 for this computer on the sample networks (512 calibration images, accuracy on all
// 10,000 test images) and on BlazeFace (photographs). Builds are timed in interleaved blocks in one process; each is made in a process of its own,
// whose time and memory are taken without start and imports. See bench/rival/README.md for what has to be installed.
//
//   node bench/rival.ts --python VENV/bin/python --portraits face_recognition-1.3.0.tar.gz [--data FOLDER] [--only blazeface]
//
// Prints one Markdown table a model. Exits with 1 when our BlazeFace build is not at least 10 dB above the naive one, below the reduced-range
// one, or slower than the naive one beyond the interval of the measurement.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ensureRealModels } from '../scripts/real-models/real-models.ts'
import { FASHION_MNIST_FOLDER } from '../scripts/training/fashion-mnist.ts'
import { int8StaticStepSchema } from '../src/contract/recipe.ts'
import { parseNpy } from '../src/core/datasets/npy.ts'
import { parseNpz } from '../src/core/datasets/npz.ts'
import type { NumericArray } from '../src/core/datasets/numeric-array.ts'
import { writeNpy, writeNpz } from '../src/core/datasets/write-npz.ts'
import type { NamedTensors } from '../src/core/inference-runtime.ts'
import { closeness, correctAnswers, decibels, type Latency, milliseconds, sideBySide, timesFaster } from './builds-side-by-side.ts'
import { allTestImages, sampleFile } from './fashion-mnist.ts'
import { machineLine, markdownTable } from './markdown.ts'
import { idleEngineBytes, optimizeMeasured } from './measured-engine.ts'

const VARIANTS = {
  naive: 'Python, naive (U8S8, full range)',
  'reduce-range': 'Python, reduce_range',
  percentile: 'Python, reduce_range and percentile',
  defaults: 'Python, defaults',
}
const OURS = 'Edgesmith'
const FACE_INPUT = 'input:0'
/** Of the test images, for the signal to noise ratio. */
const COMPARED_IMAGES = 1000

interface Contest {
  readonly name: string
  readonly modelPath: string
  readonly inputName: string
  readonly calibration: NumericArray
  readonly feeds: readonly NamedTensors[]
  readonly labels: Uint8Array | undefined
}

interface Entrant {
  readonly name: string
  readonly bytes: Uint8Array
  readonly seconds: number | null
  readonly memoryBytes: number | null
}

/** What quantize.py prints. */
interface PythonReport {
  readonly seconds: number
  readonly idleBytes: number
  readonly peakBytes: number
  readonly versions: Readonly<Record<string, string>>
}

function python(script: string, args: readonly string[]): string {
  const path = fileURLToPath(new URL(`./rival/${script}`, import.meta.url))
  return execFileSync(options.python, [path, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
  })
}

async function entrants({ modelPath, inputName, calibration }: Contest, folder: string): Promise<Entrant[]> {
  const read = (path: string) => new Uint8Array(readFileSync(path))
  const samplesPath = join(folder, 'samples.npy')
  writeFileSync(samplesPath, writeNpy(calibration))
  const made: Entrant[] = [{ name: 'float32', bytes: read(modelPath), seconds: null, memoryBytes: null }]
  for (const [variant, name] of Object.entries(VARIANTS)) {
    const outPath = join(folder, `${variant}.onnx`)
    const lines = python('quantize.py', ['--model', modelPath, '--samples', samplesPath, '--variant', variant, '--out', outPath])
    const report = JSON.parse(lines.trim().split('\n').at(-1)!) as PythonReport
    for (const [tool, version] of Object.entries(report.versions)) versions.set(tool, version)
    made.push({ name, bytes: read(outPath), seconds: report.seconds, memoryBytes: report.peakBytes - report.idleBytes })
  }
  const npzPath = join(folder, 'samples.npz')
  writeFileSync(npzPath, writeNpz([{ ...calibration, name: inputName }], { compress: false }))
  const idleBytes = await idleEngineBytes()
  const outPath = join(folder, 'ours.onnx')
  const files = { modelPath, samplesPath: npzPath, samples: calibration.shape[0]!, outPath }
  // MinMax is what the Python tool's first rows do; `auto` is what users get.
  for (const calibrator of ['minmax', 'auto'] as const) {
    const { value, peakBytes } = await optimizeMeasured(files, [int8StaticStepSchema.parse({ recipe: 'int8-static', calibrator })])
    const name = calibrator === 'auto' ? `${OURS} (auto: ${value.calibrator})` : `${OURS}, ${calibrator}`
    made.push({ name, bytes: read(outPath), seconds: value.durationMs / 1000, memoryBytes: peakBytes - idleBytes })
  }
  return made
}

/** What the bar asks about, by the name of the build. */
interface Score {
  readonly worstDb: number
  readonly latency: Latency
}

async function contest(entry: Contest): Promise<Map<string, Score>> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-rival-'))
  try {
    const builds = await entrants(entry, folder)
    const source = builds[0]!.bytes
    const latencies = await sideBySide(
      builds.map(({ bytes }) => bytes),
      entry.feeds[0]!,
    )
    const scores = new Map<string, Score>()
    const rows: string[][] = []
    for (const [index, { name, bytes, seconds, memoryBytes }] of builds.entries()) {
      const close = index === 0 ? undefined : await closeness(source, bytes, entry.feeds.slice(0, COMPARED_IMAGES))
      const latency = latencies[index]!
      scores.set(name, { worstDb: close?.worstDb ?? Number.POSITIVE_INFINITY, latency })
      const accuracy = entry.labels
        ? [`${((100 * (await correctAnswers(bytes, entry.feeds, entry.labels))) / entry.feeds.length).toFixed(2)} %`]
        : []
      rows.push([
        name,
        ...accuracy,
        ...(close ? [decibels(close.worstDb), decibels(close.togetherDb)] : ['', '']),
        milliseconds(latency),
        index === 0 ? '1' : timesFaster(latency),
        (bytes.length / 1000).toFixed(0),
        seconds === null ? '' : seconds.toFixed(1),
        memoryBytes === null ? '' : (memoryBytes / 1e6).toFixed(0),
      ])
    }
    const heading = ['build', ...(entry.labels ? ['accuracy'] : []), 'SQNR dB, worst output', 'SQNR dB, all outputs', 'median ms']
    const costs = ['times faster than float32 (95 %)', 'size kB', 'seconds to quantize', 'MB above idle']
    console.log(`### ${entry.name}\n\n${markdownTable([...heading, ...costs], rows)}\n`)
    return scores
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function fashionContests(): Contest[] {
  const calibration = parseNpz(new Uint8Array(readFileSync(sampleFile('fashion-mnist-calibration.npz'))), 'calibration')
    .find(({ name }) => name === 'input')!
    .read()
  const { feeds, labels } = allTestImages(options.data)
  return ['fashion-cnn', 'fashion-mobilenet'].map((name) => ({
    name,
    modelPath: sampleFile(`${name}.onnx`),
    inputName: 'input',
    calibration,
    feeds,
    labels,
  }))
}

async function faceContest(folder: string): Promise<Contest> {
  python('photos.py', ['--portraits', options.portraits, '--out', folder])
  const read = (name: string) => parseNpy(new Uint8Array(readFileSync(join(folder, name))), name)
  const test = read('test.npy')
  const bytes = test.bytes.slice()
  const [count = 0, ...picture] = test.shape
  const size = picture.reduce((product, dim) => product * dim, 1)
  const feeds = Array.from({ length: count }, (_, index): NamedTensors => {
    return { [FACE_INPUT]: { type: 'float32', dims: [1, ...picture], values: new Float32Array(bytes.buffer, index * size * 4, size) } }
  })
  const modelPath = (await ensureRealModels())['blazeface-back.onnx']!
  return {
    name: 'BlazeFace (back camera)',
    modelPath,
    inputName: FACE_INPUT,
    calibration: read('calibration.npy'),
    feeds,
    labels: undefined,
  }
}

/** The bar for BlazeFace; says what was missed. */
function missed(scores: ReadonlyMap<string, Score>): string[] {
  const of = (start: string) => [...scores].find(([name]) => name.startsWith(start))![1]
  const [ours, naive, reduced] = [of(`${OURS} (auto`), of(VARIANTS.naive), of(VARIANTS['reduce-range'])]
  const found: string[] = []
  if (ours.worstDb < naive.worstDb + 10) found.push(`only ${(ours.worstDb - naive.worstDb).toFixed(1)} dB above the naive build`)
  if (ours.worstDb < reduced.worstDb) found.push(`${(reduced.worstDb - ours.worstDb).toFixed(1)} dB below the reduced range`)
  if (ours.latency.ci95[1] < naive.latency.ci95[0]) found.push('slower than the naive build')
  return found
}

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    portraits: { type: 'string', default: '' },
    data: { type: 'string', default: FASHION_MNIST_FOLDER },
    only: { type: 'string', default: '' },
  },
})
const versions = new Map<string, string>()
console.log(`Static int8, one thread, batch 1. ${machineLine()}\n`)
if ('fashion'.includes(options.only)) for (const entry of fashionContests()) await contest(entry)
if ('blazeface'.includes(options.only)) {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-photos-'))
  try {
    const problems = missed(await contest(await faceContest(folder)))
    console.log(problems.length === 0 ? 'The bar is met.' : `The bar is missed: ${problems.join('; ')}.`)
    if (problems.length > 0) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
console.log(`Python: ${[...versions].map(([tool, version]) => `${tool} ${version}`).join(', ')}.`)
