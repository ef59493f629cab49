// How much memory does static quantization take? Models of 5, 25 and 100 MB with random weights are quantized by a real engine process, as
// the backend starts it; the kernel's own high-water mark of that process (VmHWM, Linux only) is read until it ends. What the process takes
// with ONNX Runtime started and no work does not count. The bar (SPEC.md, "How good is good"): at most four times the model
// plus three times the activations of one sample.
//
//   node bench/quantization-memory.ts [--calibrator auto] [--samples 16] [--only conv-25]
//
// Prints a Markdown table and exits with 1 when a model is over its limit.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ModelProto } from 'onnx-buf'
import { int8StaticStepSchema } from '../src/contract/recipe.ts'
import { writeNpz } from '../src/core/datasets/write-npz.ts'
import { makeModel, makeNode, makeValueInfo } from '../src/core/onnx/builders.ts'
import { encodeModel } from '../src/core/onnx/model-file.ts'
import { inferShapes } from '../src/core/onnx/shape-inference.ts'
import { elementsOf } from '../src/core/onnx/shapes.ts'
import { makeTensor } from '../src/core/onnx/tensor-values.ts'
import { type RandomSource, seededRandom } from '../src/core/statistics/seeded-random.ts'
import { machineLine, markdownTable } from './markdown.ts'
import { idleEngineBytes, optimizeMeasured } from './measured-engine.ts'

const MB = 1e6

interface MemoryCase {
  readonly name: string
  readonly inputShape: readonly [number, ...number[]]
  readonly model: (random: RandomSource) => ModelProto
}

/** 3×3 convolutions with Relu on 32×32 pixels, a pooling after the second, one fully connected layer at the end. */
function convolutions(layers: number, channels: number): MemoryCase['model'] {
  return (random) => {
    const nodes = []
    const initializers = []
    for (let layer = 0; layer < layers; layer++) {
      const from = layer === 0 ? 3 : channels
      initializers.push(randomTensor(random, `w${layer}`, [channels, from, 3, 3]), randomTensor(random, `b${layer}`, [channels]))
      const input = layer === 0 ? 'x' : layer === 2 ? 'pooled' : `r${layer - 1}`
      nodes.push(makeNode('Conv', [input, `w${layer}`, `b${layer}`], [`c${layer}`], { pads: [1, 1, 1, 1] }, { name: `conv${layer}` }))
      nodes.push(makeNode('Relu', [`c${layer}`], [`r${layer}`], {}, { name: `relu${layer}` }))
      if (layer === 1) nodes.push(makeNode('MaxPool', ['r1'], ['pooled'], { kernel_shape: [2, 2], strides: [2, 2] }, { name: 'pool' }))
    }
    initializers.push(randomTensor(random, 'fw', [channels, 10]))
    nodes.push(makeNode('GlobalAveragePool', [`r${layers - 1}`], ['g'], {}, { name: 'average' }))
    nodes.push(makeNode('Flatten', ['g'], ['f'], {}, { name: 'flatten' }), makeNode('MatMul', ['f', 'fw'], ['y'], {}, { name: 'head' }))
    return makeModel({
      nodes,
      initializers,
      inputs: [makeValueInfo('x', 'float32', ['N', 3, 32, 32])],
      outputs: [makeValueInfo('y', 'float32', ['N', 10])],
    })
  }
}

/** Fully connected layers of one width with Relu between them. */
function fullyConnected(layers: number, width: number): MemoryCase['model'] {
  return (random) => {
    const indices = Array.from({ length: layers }, (_, layer) => layer)
    return makeModel({
      nodes: indices.flatMap((layer) => [
        makeNode('Gemm', [layer === 0 ? 'x' : `r${layer - 1}`, `w${layer}`, `b${layer}`], [`h${layer}`], {}, { name: `fc${layer}` }),
        makeNode('Relu', [`h${layer}`], [layer === layers - 1 ? 'y' : `r${layer}`], {}, { name: `relu${layer}` }),
      ]),
      initializers: indices.flatMap((layer) => [
        randomTensor(random, `w${layer}`, [width, width]),
        randomTensor(random, `b${layer}`, [width]),
      ]),
      inputs: [makeValueInfo('x', 'float32', ['N', width])],
      outputs: [makeValueInfo('y', 'float32', ['N', width])],
    })
  }
}

/** Uniform, with the variance of He et al. 2015, so that activations neither vanish nor explode. */
function randomTensor(random: RandomSource, name: string, dims: readonly number[]) {
  const count = dims.reduce((product, dim) => product * dim, 1)
  const inputs = dims.length === 4 ? count / dims[0]! : dims[0]!
  const bound = Math.sqrt(6 / inputs)
  return makeTensor(
    name,
    'float32',
    dims,
    Float32Array.from({ length: count }, () => (random.uniform() * 2 - 1) * bound),
  )
}

const image = [3, 32, 32] as const
const CASES: readonly MemoryCase[] = [
  { name: 'conv-5', inputShape: image, model: convolutions(5, 192) },
  { name: 'conv-25', inputShape: image, model: convolutions(12, 256) },
  { name: 'conv-100', inputShape: image, model: convolutions(12, 512) },
  { name: 'mlp-5', inputShape: [640], model: fullyConnected(3, 640) },
  { name: 'mlp-25', inputShape: [1024], model: fullyConnected(6, 1024) },
  { name: 'mlp-100', inputShape: [2048], model: fullyConnected(6, 2048) },
]

/** Bytes of all tensors that nodes write while one sample passes through. */
function activationBytes(model: ModelProto): number {
  const { facts } = inferShapes(model, { singleSample: true })
  return (model.graph?.node ?? [])
    .flatMap(({ output }) => output)
    .reduce((sum, name) => sum + 4 * (elementsOf((facts.get(name)?.shape ?? []) as number[]) ?? 0), 0)
}

async function measure({ name, inputShape, model: make }: MemoryCase, folder: string, idle: number): Promise<boolean> {
  const random = seededRandom(1)
  const model = make(random)
  const bytes = encodeModel(model)
  const count = inputShape.reduce((product, dim) => product * dim, samples)
  const values = Float32Array.from({ length: count }, () => random.uniform() * 2 - 1)
  const modelPath = join(folder, `${name}.onnx`)
  const samplesPath = join(folder, `${name}.npz`)
  writeFileSync(modelPath, bytes)
  const array = { name: 'x', type: 'float32' as const, shape: [samples, ...inputShape], bytes: new Uint8Array(values.buffer) }
  writeFileSync(samplesPath, writeNpz([array], { compress: false }))
  const step = int8StaticStepSchema.parse({ recipe: 'int8-static', calibrator: options.calibrator })
  const files = { modelPath, samplesPath, samples, outPath: join(folder, `${name}-int8.onnx`) }
  const { value: summary, peakBytes, phases } = await optimizeMeasured(files, [step])
  const activations = activationBytes(model)
  const limit = bytes.length * 4 + activations * 3
  const above = peakBytes - idle
  rows.push([
    name,
    mega(bytes.length),
    mega(activations),
    mega(array.bytes.length),
    mega(idle),
    mega(peakBytes),
    mega(above),
    mega(limit),
    (above / limit).toFixed(2),
    [...phases].map(([phase, resident]) => `${phase} ${mega(resident - idle)}`).join(', '),
    `${(summary.durationMs / 1000).toFixed(1)} s`,
  ])
  return above <= limit
}

const mega = (bytes: number) => (bytes / MB).toFixed(1)
const rows: string[][] = []
const { values: options } = parseArgs({
  options: {
    calibrator: { type: 'string', default: 'auto' },
    samples: { type: 'string', default: '16' },
    only: { type: 'string', default: '' },
  },
})
const samples = Number(options.samples)
const folder = mkdtempSync(join(tmpdir(), 'edgesmith-memory-'))
let good = true
try {
  const idle = await idleEngineBytes()
  for (const entry of CASES.filter(({ name }) => name.includes(options.only))) if (!(await measure(entry, folder, idle))) good = false
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`int8-static, calibrator ${options.calibrator}, ${samples} samples. MB are 10⁶ bytes. ${machineLine()}\n`)
console.log(
  markdownTable(
    [
      'model',
      'model MB',
      'activations of one sample MB',
      'dataset MB',
      'idle MB',
      'peak MB',
      'above idle MB',
      'limit MB',
      'share of limit',
      'resident above idle by phase, MB',
      'time',
    ],
    rows,
  ),
)
process.exitCode = good ? 0 : 1
