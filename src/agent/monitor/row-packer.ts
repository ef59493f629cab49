import { halfToFloat } from '../../core/float16.ts'
import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import type { SampleAnswer } from '../serve/sample-outputs.ts'
import type { RowLayout, Stored } from './prediction-log-file.ts'

/** Longer inputs and outputs (images) are left out: a card would be full in no time, and nobody looks at them row by row. */
const MOST_VALUES = 16_384
/** Characters of all texts of a row. */
const MOST_TEXT = 65_536
/** Values of a batch: 256 kB. Of a row, what does not fit an empty batch is left out. */
const BATCH_VALUES = 65_536

/** What a row adds to a batch. */
export interface PackedRow {
  readonly layout: string
  readonly values: number
  readonly texts: string | null
}

/** Packs the numbers of predictions one after the other. */
export class RowPacker {
  #numbers = new Float32Array(BATCH_VALUES)
  #used = 0
  #lastForm: readonly Stored[] = []
  #lastNames: readonly string[] = []
  #lastInputs = -1
  #lastLayout = ''
  #lastVersion = ''

  /** Whether a row of any size fits; take the batch otherwise. */
  get isRoomy(): boolean {
    return this.#used === 0 || this.#used <= BATCH_VALUES / 2
  }

  /** @param version of the model, which becomes part of the layout */
  add(sample: NamedTensors, { outputs }: SampleAnswer, version: string): PackedRow {
    const start = this.#used
    const end = start === 0 ? BATCH_VALUES : start + BATCH_VALUES / 2
    const names: string[] = []
    const form: Stored[] = []
    const texts: (readonly string[])[] = []
    let characters = 0
    const keepTexts = (values: readonly string[]): Stored => {
      for (const text of values) characters += text.length
      if (characters > MOST_TEXT) return 'left out'
      texts.push(values)
      return 'texts'
    }
    for (const name of Object.keys(sample)) {
      names.push(name)
      form.push(this.#addTensor(sample[name] as RuntimeTensor, end, keepTexts))
    }
    const inputs = names.length
    for (const name of Object.keys(outputs)) {
      names.push(name)
      form.push(this.#addNested(outputs[name], end, keepTexts))
    }
    return {
      layout: this.#layoutOf(names, form, inputs, version),
      values: this.#used - start,
      texts: texts.length > 0 ? JSON.stringify(texts) : null,
    }
  }

  /** The numbers so far, which the caller owns then. */
  take(): Float32Array<ArrayBuffer> {
    const numbers = this.#numbers.slice(0, this.#used)
    this.#used = 0
    return numbers
  }

  #addTensor({ type, values }: RuntimeTensor, end: number, keepTexts: (values: readonly string[]) => Stored): Stored {
    const count = values.length
    if (count > MOST_VALUES || this.#used + count > end) return 'left out'
    if (type === 'string') return keepTexts(values as readonly string[])
    if (values instanceof Float32Array) this.#numbers.set(values, this.#used)
    else {
      for (let index = 0; index < count; index++) {
        const value = Number(values[index])
        this.#numbers[this.#used + index] = type === 'float16' ? halfToFloat(value) : value
      }
    }
    this.#used += count
    return count
  }

  /** An answer's nested lists; null is a number that JSON does not know. */
  #addNested(value: unknown, end: number, keepTexts: (values: readonly string[]) => Stored): Stored {
    // Most outputs are a list of a few numbers.
    const leaves: readonly unknown[] = Array.isArray(value)
      ? Array.isArray(value[0])
        ? value.flat(Number.POSITIVE_INFINITY)
        : value
      : [value]
    const count = leaves.length
    if (count > MOST_VALUES || this.#used + count > end) return 'left out'
    if (typeof leaves[0] === 'string') return keepTexts(leaves.map(String))
    for (let index = 0; index < count; index++) {
      const leaf = leaves[index]
      this.#numbers[this.#used + index] = leaf === null ? Number.NaN : Number(leaf)
    }
    this.#used += count
    return count
  }

  /** Nearly always that of the row before. */
  #layoutOf(names: readonly string[], form: readonly Stored[], inputs: number, version: string): string {
    const isSame =
      version === this.#lastVersion &&
      inputs === this.#lastInputs &&
      names.length === this.#lastNames.length &&
      names.every((name, index) => name === this.#lastNames[index] && form[index] === this.#lastForm[index])
    if (isSame) return this.#lastLayout
    const pairs = names.map((name, index) => [name, form[index] as Stored] as const)
    const layout: RowLayout = { version, inputs: pairs.slice(0, inputs), outputs: pairs.slice(inputs) }
    this.#lastVersion = version
    this.#lastNames = names
    this.#lastForm = form
    this.#lastInputs = inputs
    this.#lastLayout = JSON.stringify(layout)
    return this.#lastLayout
  }
}
