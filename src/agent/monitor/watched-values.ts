import type { DriftSource, WatchedFeature } from '../../core/drift/feature-sketch.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import type { SampleAnswer } from '../serve/sample-outputs.ts'

/** Elements of one input, and where they go. */
interface InputPlan {
  readonly name: string
  readonly places: Int32Array
  readonly indexes: Int32Array
  /** The input's elements 0 … n − 1 go to n places beside each other: they can be copied as one block. */
  readonly isBlock: boolean
}

/** Puts the watched numbers of a prediction into a row. */
export interface ValueReader {
  /** Writes one number for each feature to `rows[at]` …; NaN where a prediction has no such number. */
  read(sample: NamedTensors, answer: SampleAnswer, rows: Float32Array, at: number): void
}

/** Prepares reading, so that a prediction costs little more than a copy of its inputs. */
export function valueReader(features: readonly WatchedFeature[]): ValueReader {
  const inputs = inputPlans(features)
  const answers = features.flatMap(({ source }, place) => (source.kind === 'input' ? [] : [{ place, source }]))
  return {
    read: (sample, answer, rows, at) => {
      for (const plan of inputs) readInput(sample[plan.name], plan, rows, at)
      for (const { place, source } of answers) rows[at + place] = answerValue(answer, source)
    },
  }
}

function inputPlans(features: readonly WatchedFeature[]): InputPlan[] {
  const byName = new Map<string, { places: number[]; indexes: number[] }>()
  for (const [place, { source }] of features.entries()) {
    if (source.kind !== 'input') continue
    const plan = byName.get(source.name) ?? { places: [], indexes: [] }
    plan.places.push(place)
    plan.indexes.push(source.index)
    byName.set(source.name, plan)
  }
  return Array.from(byName, ([name, { places, indexes }]) => ({
    name,
    places: Int32Array.from(places),
    indexes: Int32Array.from(indexes),
    isBlock: indexes.every((index, i) => index === i && places[i] === (places[0] as number) + i),
  }))
}

function readInput(tensor: RuntimeTensor | undefined, { places, indexes, isBlock }: InputPlan, rows: Float32Array, at: number): void {
  const values = tensor?.values
  if (isBlock && values instanceof Float32Array && values.length === places.length) {
    rows.set(values, at + (places[0] as number))
    return
  }
  const isHalf = tensor?.type === 'float16'
  for (let i = 0; i < places.length; i++) {
    const value = values?.[indexes[i] as number]
    const number =
      typeof value === 'number' ? (isHalf ? halfToFloat(value) : value) : typeof value === 'bigint' ? Number(value) : Number.NaN
    rows[at + (places[i] as number)] = number
  }
}

/** The class is its index; an output's element is counted over all its dimensions. */
function answerValue({ prediction, outputs }: SampleAnswer, source: Exclude<DriftSource, { kind: 'input' }>): number {
  if (source.kind === 'class') return prediction?.class ?? Number.NaN
  const value = elementAt(outputs[source.name], source.index)
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' ? value : Number.NaN
}

/** The element at a row-major index of nested lists, all of which have the same form at the same depth. */
function elementAt(value: unknown, index: number): unknown {
  if (!Array.isArray(value)) return index === 0 ? value : undefined
  const size = leafCount(value[0])
  return size === 0 ? undefined : elementAt(value[Math.floor(index / size)], index % size)
}

function leafCount(value: unknown): number {
  return Array.isArray(value) ? value.length * leafCount(value[0]) : 1
}
