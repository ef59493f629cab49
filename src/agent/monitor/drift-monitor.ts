import {
  type FeatureMeasure,
  type FeatureVerdict,
  judgeFeatures,
  measureFeature,
  triggeringWindows,
  windowsInARow,
} from '../../core/drift/drift-verdict.ts'
import { type DriftReference, decodeSample, type FeatureSketch } from '../../core/drift/feature-sketch.ts'
import type { ObservedPrediction, PredictionObserver } from '../serve/prediction-observer.ts'
import { valueReader } from './watched-values.ts'

/** Rows of a window. */
const WINDOW_ROWS = 1000
/** A window that fills slowly is judged with as many once it is old enough. */
const FEWEST_ROWS = 500
const OLD_MS = 24 * 3_600_000
/**
 * Rows looked at in the long run: a window takes ten seconds at least, so that judging one (some 20 ms for 52 features on a fast processor, 100 on
 * a slow one) takes at most a hundredth of a core however fast the service is. What was not used in quiet times is saved up to one window.
 */
const ROWS_PER_MS = 0.1
/** Judging gives the event loop back after this: a numeric feature, which takes a millisecond at most on a fast processor, or several categorical ones. */
const SLICE_MS = 0.25

/** A judged window. */
export interface JudgedWindow {
  readonly rows: number
  /** First and last row, milliseconds since 1970. */
  readonly fromMs: number
  readonly toMs: number
  /** In the order of the reference's features. */
  readonly verdicts: readonly FeatureVerdict[]
  readonly inARow: readonly number[]
}

/** Where a monitor stands. */
export interface DriftState {
  readonly reference: DriftReference
  readonly windowRows: number
  /** Rows of the window that is being filled. */
  readonly filledRows: number
  readonly judgedWindows: number
  /** The last judged window. */
  readonly last: JudgedWindow | null
  /** Features that drifted in two windows in a row, up to the last one: names. */
  readonly triggered: readonly string[]
}

/** Features that drifted in two windows in a row. */
export interface DriftTrigger {
  readonly window: JudgedWindow
  readonly features: readonly { readonly sketch: FeatureSketch; readonly verdict: FeatureVerdict; readonly inARow: number }[]
}

export interface DriftMonitorOptions {
  readonly reference: DriftReference
  /** Told after every window in which some feature has drifted for the second time in a row, or longer. */
  readonly onTrigger?: (trigger: DriftTrigger) => void
  /** Smaller windows are for tests of what builds on the monitor: the rules are made for 1,000 rows. */
  readonly windowRows?: number
}

/**
 * Compares what a service is asked and answers with what its model was made for, window by window of 1,000 predictions. A prediction costs a
 * copy of its numbers; a full window is judged between other work of the event loop, while the next one fills.
 */
export class DriftMonitor implements PredictionObserver {
  readonly #reference: DriftReference
  readonly #samples: readonly Float32Array[]
  readonly #onTrigger: (trigger: DriftTrigger) => void
  readonly #windowRows: number
  readonly #fewestRows: number
  readonly #reader
  /** Row by row, `#reference.features.length` numbers each. */
  #filling: Float32Array
  /** The other window, null while it is judged. */
  #spare: Float32Array | null
  #filled = 0
  #fromMs = 0
  #toMs = 0
  #credit: number
  #creditAtMs = Number.NaN
  #judgedWindows = 0
  #last: JudgedWindow | null = null
  #isClosed = false

  /** @param options a reference that its schema has checked */
  constructor({ reference, onTrigger = () => {}, windowRows = WINDOW_ROWS }: DriftMonitorOptions) {
    this.#reference = reference
    this.#samples = reference.features.map(({ sample }) => decodeSample(sample))
    this.#onTrigger = onTrigger
    this.#windowRows = windowRows
    this.#fewestRows = Math.min(FEWEST_ROWS, windowRows)
    this.#reader = valueReader(reference.features)
    this.#filling = new Float32Array(windowRows * reference.features.length)
    this.#spare = new Float32Array(this.#filling.length)
    // The first two windows may be judged at once: who has just deployed sees soon how things stand.
    this.#credit = 2 * windowRows
  }

  get state(): DriftState {
    const { features } = this.#reference
    return {
      reference: this.#reference,
      windowRows: this.#windowRows,
      filledRows: this.#filled,
      judgedWindows: this.#judgedWindows,
      last: this.#last,
      triggered: features.flatMap(({ name }, index) => ((this.#last?.inARow[index] ?? 0) >= triggeringWindows ? [name] : [])),
    }
  }

  predicted({ samples, answers, at }: ObservedPrediction): void {
    if (this.#isClosed) return
    this.#earn(at)
    for (let index = 0; index < samples.length && this.#credit >= 1; index++) {
      // Both windows are full only while the last one is still being judged.
      if (this.#filled === this.#windowRows) break
      this.#credit--
      const sample = samples[index]
      const answer = answers[index]
      if (!sample || !answer) break
      if (this.#filled === 0) this.#fromMs = at
      this.#reader.read(sample, answer, this.#filling, this.#filled * this.#reference.features.length)
      this.#filled++
      this.#toMs = at
      if (this.#filled === this.#windowRows) this.#judgeFilled()
    }
    if (this.#filled >= this.#fewestRows && at - this.#fromMs >= OLD_MS) this.#judgeFilled()
  }

  /** Stops: nothing is looked at or judged any more. */
  close(): void {
    this.#isClosed = true
  }

  #earn(atMs: number): void {
    // A clock that was set back earns nothing.
    const elapsedMs = Math.max(0, atMs - this.#creditAtMs)
    if (elapsedMs > 0) this.#credit = Math.max(this.#credit, Math.min(this.#windowRows, this.#credit + elapsedMs * ROWS_PER_MS))
    this.#creditAtMs = atMs
  }

  #judgeFilled(): void {
    const next = this.#spare
    if (!next) return
    const judged = { rows: this.#filled, fromMs: this.#fromMs, toMs: this.#toMs, values: this.#filling }
    this.#spare = null
    this.#filling = next
    this.#filled = 0
    setImmediate(() => this.#judge(judged, []))
  }

  /** Measures features for a slice of time, then goes on in another turn of the event loop. */
  #judge(window: { rows: number; fromMs: number; toMs: number; values: Float32Array }, measures: FeatureMeasure[]): void {
    if (this.#isClosed) return
    const { features } = this.#reference
    const column = new Float32Array(window.rows)
    const start = performance.now()
    while (measures.length < features.length && performance.now() - start < SLICE_MS) {
      const feature = measures.length
      for (let row = 0; row < window.rows; row++) column[row] = window.values[row * features.length + feature] as number
      measures.push(measureFeature(features[feature] as FeatureSketch, this.#samples[feature] as Float32Array, column))
    }
    if (measures.length < features.length) setImmediate(() => this.#judge(window, measures))
    else this.#conclude(window, measures)
  }

  #conclude(
    { rows, fromMs, toMs, values }: { rows: number; fromMs: number; toMs: number; values: Float32Array },
    measures: readonly FeatureMeasure[],
  ): void {
    const verdicts = judgeFeatures(measures)
    const window: JudgedWindow = { rows, fromMs, toMs, verdicts, inARow: windowsInARow(this.#last?.inARow ?? [], verdicts) }
    this.#last = window
    this.#judgedWindows++
    this.#spare = values
    if (this.#filled === this.#windowRows) this.#judgeFilled()
    const features = this.#reference.features.flatMap((sketch, index) => {
      const inARow = window.inARow[index] as number
      return inARow >= triggeringWindows ? [{ sketch, verdict: verdicts[index] as FeatureVerdict, inARow }] : []
    })
    if (features.length > 0) this.#onTrigger({ window, features })
  }
}
