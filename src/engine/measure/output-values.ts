import { EdgesmithError } from '../../contract/errors.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { LoadedModel, RuntimeTensor } from '../../core/inference-runtime.ts'
import { quoteName, quoteNames } from '../../core/onnx/quote-name.ts'
import type { OutputFeeds } from './output-feeds.ts'

/** An output of a model over all samples. */
export interface CollectedOutput {
  readonly name: string
  readonly type: RuntimeTensor['type']
  /** [samples, …] where values can be told apart by sample, else [number of values]. */
  readonly shape: number[]
  readonly values: Float32Array
}

/** 96 MiB of values: with their text form in the answer a board of 1 GB still has room for the model. */
const OUTPUT_BYTES_LIMIT = 96 * 2 ** 20

/**
 * Runs a model on all feeds and keeps its outputs as float32.
 *
 * @param onFeed called after each feed; may throw to stop
 * @returns outputs in the model's order, and a sentence for each output that is left out or rounded
 * @throws EdgesmithError `EVALUATION_IMPOSSIBLE` when all outputs are text, `TOO_LARGE` beyond 96 MiB, `MODEL_RUN_FAILED`
 */
export async function collectOutputs(
  model: LoadedModel,
  feeds: OutputFeeds,
  onFeed: (done: number) => void,
): Promise<{ outputs: CollectedOutput[]; warnings: string[] }> {
  const numeric = model.outputs.filter(({ type }) => type !== 'string')
  const text = model.outputs.filter(({ type }) => type === 'string').map(({ name }) => name)
  if (numeric.length === 0) {
    throw new EdgesmithError('EVALUATION_IMPOSSIBLE', 'Every output of the model is text, which cannot be compared as numbers.', {
      hint: 'Choose a model with numeric outputs.',
    })
  }
  const collectors = numeric.map(({ name }) => new OutputCollector(name))
  for (let index = 0; index < feeds.feeds; index++) {
    const wanted = Math.min(feeds.batch, feeds.samples - index * feeds.batch)
    const given = await model.run(feeds.read(index))
    for (const collector of collectors) collector.add(given[collector.name]!, wanted, feeds.batch)
    requireRoom(collectors, feeds, index)
    onFeed(index + 1)
  }
  return {
    outputs: collectors.map((collector) => collector.result(feeds.samples)),
    warnings: [
      ...(text.length > 0 ? [`Outputs of text were left out: ${quoteNames(text)}.`] : []),
      ...collectors
        .filter(({ rounded }) => rounded)
        .map(({ name }) => `Output ${quoteName(name)} holds numbers that float32 cannot hold exactly; they were rounded.`),
    ],
  }
}

/** @throws EdgesmithError `TOO_LARGE` as soon as the feeds so far tell that all will not fit */
function requireRoom(collectors: readonly OutputCollector[], { samples, batch }: OutputFeeds, index: number): void {
  const found = collectors.reduce((sum, { count }) => sum + count * 4, 0)
  const done = Math.min(samples, (index + 1) * batch)
  if ((found / done) * samples <= OUTPUT_BYTES_LIMIT) return
  const most = Math.floor(OUTPUT_BYTES_LIMIT / (found / done))
  throw new EdgesmithError(
    'TOO_LARGE',
    `The outputs for ${samples} samples take ${Math.ceil(((found / done) * samples) / 2 ** 20)} MiB; at most ${OUTPUT_BYTES_LIMIT / 2 ** 20} MiB are compared.`,
    {
      hint: most > 0 ? `Take at most ${most} samples.` : 'Compare a part of the model with smaller outputs (recipe extract).',
      details: { samples, mostSamples: most, limitBytes: OUTPUT_BYTES_LIMIT },
    },
  )
}

/** Pieces of one output, feed by feed. */
class OutputCollector {
  readonly name: string
  count = 0
  rounded = false
  private readonly pieces: Float32Array[] = []
  private type: RuntimeTensor['type'] = 'float32'
  /** Dimensions of one sample; null where they differ, or the first dimension is not the batch. */
  private sampleDims: readonly number[] | null | undefined

  constructor(name: string) {
    this.name = name
  }

  add(tensor: RuntimeTensor, wanted: number, batch: number): void {
    const { dims } = tensor
    this.type = tensor.type
    // A model made for one sample may leave the batch dimension out.
    const own = dims[0] === batch ? dims.slice(1) : batch === 1 ? dims : null
    if (this.sampleDims === undefined) this.sampleDims = own
    else if (own === null || this.sampleDims?.join() !== own.join()) this.sampleDims = null
    const { values, rounded } = asFloats(tensor)
    const kept = own && wanted < batch ? values.slice(0, (values.length / batch) * wanted) : values
    this.rounded ||= rounded
    this.count += kept.length
    this.pieces.push(kept)
  }

  result(samples: number): CollectedOutput {
    const values = joinedFloats(this.pieces)
    return { name: this.name, type: this.type, shape: this.sampleDims ? [samples, ...this.sampleDims] : [values.length], values }
  }
}

/** Pieces one after another. */
export function joinedFloats(pieces: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}

/** The values of a numeric tensor as float32, and whether some of them had to be rounded for that. */
export function asFloats({ type, values }: RuntimeTensor): { readonly values: Float32Array; readonly rounded: boolean } {
  if (values instanceof Float32Array) return { values, rounded: false }
  if (type === 'float16') return { values: Float32Array.from(values as Uint16Array, halfToFloat), rounded: false }
  let rounded = false
  const floats = Float32Array.from(values as ArrayLike<number | bigint>, (value) => {
    const number = Number(value)
    const float = Math.fround(number)
    // An infinity or NaN of float64 is one of float32; a large finite number becoming infinite is a rounding too.
    if (float !== number && !Number.isNaN(number)) rounded = true
    else if (typeof value === 'bigint' && BigInt(float) !== value) rounded = true
    return float
  })
  return { values: floats, rounded }
}
