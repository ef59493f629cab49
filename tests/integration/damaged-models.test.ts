import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureRealModels } from '../../scripts/real-models/real-models.ts'
import { errorCatalogue } from '../../src/contract/errors.ts'
import { elementWidth } from '../../src/core/datasets/numeric-array.ts'
import { writeNpz } from '../../src/core/datasets/write-npz.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { step } from '../engine/optimize/small-models.ts'
import { ocrClassifier } from '../real-models/real-model-cases.ts'
import type { DamageMessage, DamageRequest, Original } from './damaged-models-worker.ts'

const WORKER = fileURLToPath(new URL('./damaged-models-worker.ts', import.meta.url))
const MODELS = fileURLToPath(new URL('../../models/', import.meta.url))
const SEED = Number(process.env.EDGESMITH_FUZZ_SEED ?? 1)
const CASES = 1000
/** The reference machine has two cores. */
const WORKERS = 2
/** Of processor time. Ordinary cases take a tenth of a second. A case that takes this long hangs, or one that waits for something. */
const HANG_SECONDS = 30
const WAIT_MS = 180_000
/** Far above what these small models need, far below what a test machine has. */
const MEMORY_BYTES = 2.5e9
const WATCH_MS = 100

type Recipes = Original['recipes']

/** Without calibration data or a search: what they do to strange models is what counts here, and larger models get no others. */
const LIGHT_RECIPES: Recipes = [
  [step('int8-static', { calibrator: 'minmax' })],
  [step('fp16')],
  [step('int8-dynamic')],
  [step('prune-magnitude', { method: 'magnitude' })],
  [step('int8-weights', { rounding: 'nearest' })],
  [step('prune-channels', { refit: false })],
  [step('fp16', { weightsOnly: true })],
  [step('int4-weights', { rounding: 'nearest' })],
  [step('opset')],
]
const RECIPES: Recipes = [
  ...LIGHT_RECIPES,
  [step('prune-magnitude')],
  [step('int8-weights')],
  [step('int4-weights')],
  [step('prune-channels')],
  [step('prune-magnitude', { method: 'wanda' }), step('int8-static', { calibrator: 'percentile' })],
]

interface Finding {
  readonly index: number
  readonly what: string
  readonly problem: string
}

let folder = ''
let originals: Original[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-damaged-models-'))
  const real = await ensureRealModels()
  const fashion = join(MODELS, 'fashion-mnist-test.npz')
  const small = { modelPath: join(MODELS, 'fashion-mobilenet.onnx'), samplesPath: fashion, recipes: RECIPES }
  originals = [
    ...[small, small, small, small],
    { modelPath: join(MODELS, 'fashion-cnn.onnx'), samplesPath: fashion, recipes: LIGHT_RECIPES },
    {
      modelPath: real[ocrClassifier.file]!,
      samplesPath: await samplesFile('ocr-cls.npz', ocrClassifier.feeds),
      recipes: LIGHT_RECIPES,
    },
  ]
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function samplesFile(name: string, { feeds, read }: typeof ocrClassifier.feeds): Promise<string> {
  const all = await Promise.all(Array.from({ length: feeds }, (_, index) => read(index)))
  const { dims } = all[0]!.x!
  const bytes = Buffer.concat(all.map(({ x }) => Buffer.from((x!.values as Float32Array).buffer)))
  const shape = [feeds, ...dims.slice(1)]
  expect(bytes.length).toBe(shape.reduce((product, dim) => product * dim, elementWidth('float32')))
  const path = join(folder, name)
  writeFileSync(path, writeNpz([{ name: 'x', type: 'float32', shape, bytes: new Uint8Array(bytes) }]))
  return path
}

/** Works through a range in worker processes that are watched and, when a case ended one, started again behind that case. */
class WatchedWorker {
  readonly finished: DamageMessage[] = []
  readonly findings: Finding[] = []
  private readonly request: DamageRequest
  private current: DamageMessage | undefined
  private next: number
  private ended: string | undefined

  constructor(request: DamageRequest) {
    this.request = request
    this.next = request.from
  }

  async work(): Promise<this> {
    while (this.next < this.request.to) await this.runOne()
    return this
  }

  private async runOne(): Promise<void> {
    this.ended = undefined
    this.current = undefined
    const child = fork(WORKER, [], { execArgv: ['--no-warnings'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let lastWords = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-2000)
    })
    let wait: NodeJS.Timeout | undefined
    let secondsBefore = 0
    child.on('message', (raw) => {
      clearTimeout(wait)
      this.note(raw as DamageMessage)
      secondsBefore = processorSeconds(child.pid)
      if (this.current) wait = setTimeout(() => this.end(child, `took more than ${WAIT_MS} ms`), WAIT_MS)
    })
    const watch = setInterval(() => {
      if (residentBytes(child.pid) > MEMORY_BYTES) this.end(child, `took more than ${MEMORY_BYTES / 1e9} GB of memory`)
      const seconds = processorSeconds(child.pid) - secondsBefore
      if (this.current && seconds > HANG_SECONDS) this.end(child, `took more than ${HANG_SECONDS} s of processor time`)
    }, WATCH_MS)
    child.send({ ...this.request, from: this.next })
    const how = await new Promise<string>((resolve) => child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`)))
    clearTimeout(wait)
    clearInterval(watch)
    const lost = this.current as DamageMessage | undefined
    if (lost) {
      this.findings.push({ index: lost.index, what: lost.what, problem: this.ended ?? `ended the process: ${how} ${lastWords}` })
      this.next = lost.index + this.request.step
    } else if (this.next < this.request.to) throw new Error(`a worker ended between two cases: ${how} ${lastWords}`)
  }

  private note(message: DamageMessage): void {
    if (message.outcome === undefined) {
      this.current = message
      return
    }
    this.current = undefined
    this.next = message.index + this.request.step
    this.finished.push(message)
    const known = message.outcome === 'OK' || Object.hasOwn(errorCatalogue, message.outcome)
    if (!known) this.findings.push({ index: message.index, what: message.what, problem: message.stack ?? message.outcome })
  }

  private end(child: ChildProcess, why: string): void {
    this.ended = why
    child.kill('SIGKILL')
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}

/** User and system time; the kernel counts hundredths of a second (`man 5 proc`). */
function processorSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

describe('damaged models', () => {
  it(`${CASES} of them are refused with a code or give a build that loads`, { timeout: 600_000 }, async () => {
    const workers = await Promise.all(
      Array.from({ length: WORKERS }, (_, from) => new WatchedWorker({ seed: SEED, from, to: CASES, step: WORKERS, originals }).work()),
    )
    const findings = workers.flatMap((worker) => worker.findings)
    expect(findings.map(({ index, what, problem }) => `seed ${SEED}, case ${index}: ${what}\n${problem}`)).toEqual([])
    const finished = workers.flatMap((worker) => worker.finished)
    expect(finished.length).toBe(CASES)
    // A fuzzer whose cases all end at the first check tests nothing else.
    const stages = Object.groupBy(finished, ({ stage }) => stage!)
    expect(stages.build?.length).toBeGreaterThan(CASES / 5)
    expect(stages.import?.length).toBeGreaterThan(CASES / 5)
    expect(stages.recipe?.length).toBeGreaterThan(CASES / 50)
  })
})

describe('models that would blow up', () => {
  const HUGE = 1_000_000n
  const huge = (name: string, dims: number, size = HUGE) =>
    makeTensor(
      name,
      'int64',
      [dims],
      BigInt64Array.from({ length: dims }, () => size),
    )
  const floats = (name: string, values: readonly number[]) => makeTensor(name, 'float32', [values.length], Float32Array.from(values))
  const bombs = {
    ConstantOfShape: { nodes: [makeNode('ConstantOfShape', ['s'], ['b'])], initializers: [huge('s', 2)] },
    Expand: { nodes: [makeNode('Expand', ['x', 's'], ['b'])], initializers: [huge('s', 2)] },
    Tile: { nodes: [makeNode('Tile', ['x', 's'], ['b'])], initializers: [huge('s', 2)] },
    Pad: { nodes: [makeNode('Pad', ['x', 's'], ['b'])], initializers: [huge('s', 4, HUGE / 2n)] },
    Resize: { nodes: [makeNode('Resize', ['x', '', 's'], ['b'])], initializers: [floats('s', [1e6, 1e6])] },
    Range: {
      nodes: [makeNode('Range', ['from', 'to', 'by'], ['b'])],
      initializers: [0, 1e12, 1].map((value, index) => makeTensor(['from', 'to', 'by'][index]!, 'float32', [], Float32Array.of(value))),
    },
    OneHot: {
      nodes: [makeNode('Cast', ['x'], ['i'], { to: 7 }), makeNode('OneHot', ['i', 'depth', 'v'], ['b'])],
      initializers: [makeTensor('depth', 'int64', [], BigInt64Array.of(10n ** 12n)), floats('v', [0, 1])],
    },
    'a shape that is computed': {
      nodes: [makeNode('Mul', ['s', 's'], ['s2']), makeNode('ConstantOfShape', ['s2'], ['b'])],
      initializers: [huge('s', 1)],
    },
    'a shape that comes with the samples': {
      nodes: [
        makeNode('Add', ['x', 'k'], ['larger']),
        makeNode('Cast', ['larger'], ['whole'], { to: 7 }),
        makeNode('Flatten', ['whole'], ['flat'], { axis: 1 }),
        makeNode('ReduceMax', ['flat'], ['s'], { axes: [0], keepdims: 0 }),
        makeNode('ConstantOfShape', ['s'], ['b']),
      ],
      initializers: [floats('k', [2000])],
    },
    'many steps of doubling': {
      nodes: Array.from({ length: 40 }, (_, at) =>
        makeNode('Concat', [at === 0 ? 'x' : `d${at}`, at === 0 ? 'x' : `d${at}`], [at === 39 ? 'b' : `d${at + 1}`], { axis: 1 }),
      ),
      initializers: [],
    },
  } as const

  /** Most are refused before any recipe; three recipes look at those that are not. */
  const BOMB_RECIPES = 3

  it.each(Object.entries(bombs))('%s is refused before the memory is taken', { timeout: 60_000 }, async (name, { nodes, initializers }) => {
    const bomb = makeModel({
      nodes: [...nodes, makeNode('ReduceMax', ['b'], ['y'], { keepdims: 0 })],
      initializers: [...initializers],
      inputs: [makeValueInfo('x', 'float32', ['N', 4])],
      outputs: [makeValueInfo('y', 'float32', [])],
    })
    const modelPath = join(folder, `${name.replaceAll(' ', '-')}.onnx`)
    writeFileSync(modelPath, encodeModel(bomb))
    const samplesPath = join(folder, 'four.npz')
    writeFileSync(samplesPath, writeNpz([{ name: 'x', type: 'float32', shape: [4, 4], bytes: new Uint8Array(64) }]))
    const request = {
      seed: SEED,
      from: 0,
      to: BOMB_RECIPES,
      step: 1,
      originals: [{ modelPath, samplesPath, recipes: LIGHT_RECIPES }],
      intact: true,
    }
    const { findings, finished } = await new WatchedWorker(request).work()
    expect(findings).toEqual([])
    expect(finished.filter(({ outcome }) => outcome === 'OK')).toEqual([])
  })
})
