/** Runs of each kind before they are compared. */
const FEWEST_RUNS = 5
/** Weight of the newest run in a mean: follows a machine that becomes warm, not a single slow run. */
const NEWEST_WEIGHT = 0.1
/** Sharing makes the first of those that share wait for the others; it must save this share of the time to be worth it. */
const LEAST_SAVING = 0.2
/** What does not pay is tried again from time to time: what else runs on the machine may have changed that. */
const TRY_AGAIN_AFTER = 50
/** Longest shared run that is aimed for: nobody is delayed by more because others came along. */
const LONGEST_RUN_MS = 200
/** As long as nothing is known. */
const FIRST_ROWS = 4

/**
 * Finds out whether samples that share a run are done sooner than one after the other. Small kernels, large weights and models of many nodes gain
 * much, a large convolution nothing: only the clock knows. Both ways are compared while requests wait, for then the machine is as busy with
 * the one as with the other.
 */
export class SharingGain {
  readonly #most: number
  readonly #alone = new RunningMean()
  readonly #shared = new RunningMean()
  /** Of a row in any run. */
  readonly #row = new RunningMean()
  #decisions = 0

  /** @param most samples in one run */
  constructor(most: number) {
    this.#most = most
  }

  /** To be asked while other requests wait: whether the next run shall be shared with them. */
  decide(): boolean {
    const [alone, shared] = [this.#alone, this.#shared]
    if (alone.count < FEWEST_RUNS || shared.count < FEWEST_RUNS) return shared.count <= alone.count
    const pays = shared.value < alone.value * (1 - LEAST_SAVING)
    return ++this.#decisions % TRY_AGAIN_AFTER === 0 ? !pays : pays
  }

  /** Takes note of a run. @param wasDecided {@link decide} was asked about it */
  ran(rows: number, ms: number, wasDecided: boolean): void {
    this.#row.add(ms / rows)
    if (wasDecided) (rows > 1 ? this.#shared : this.#alone).add(ms / rows)
  }

  /** Samples that make a run of reasonable length. */
  get rows(): number {
    if (this.#row.count === 0) return FIRST_ROWS
    if (this.#row.value > LONGEST_RUN_MS) return 1
    // Two at least: a row may take far less time beside another one, which only trying shows.
    return Math.max(2, Math.min(this.#most, Math.floor(LONGEST_RUN_MS / this.#row.value)))
  }
}

class RunningMean {
  value = 0
  count = 0

  add(value: number): void {
    this.count++
    this.value += (value - this.value) * Math.max(NEWEST_WEIGHT, 1 / this.count)
  }
}
