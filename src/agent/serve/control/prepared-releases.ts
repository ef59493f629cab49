/** A release that was prepared and not rolled out is unloaded after this. */
const PREPARED_MS = 600_000

/** Releases that passed their checks, or are being checked, and have no place yet. */
export class PreparedReleases {
  readonly #since = new Map<string, number>()

  has(release: string): boolean {
    return this.#since.has(release)
  }

  add(release: string, nowMs: number): void {
    this.#since.set(release, nowMs)
  }

  remove(release: string): void {
    this.#since.delete(release)
  }

  /** Those beside one; a single release is prepared at a time. */
  others(release: string): readonly string[] {
    return [...this.#since.keys()].filter((other) => other !== release)
  }

  /** Those that nobody has rolled out for so long that nobody will. */
  forgotten(nowMs: number): readonly string[] {
    return [...this.#since].flatMap(([release, sinceMs]) => (nowMs - sinceMs > PREPARED_MS ? [release] : []))
  }
}
