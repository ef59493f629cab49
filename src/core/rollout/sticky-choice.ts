/** A release that takes a share of the requests. */
export interface WeightedRelease {
  readonly release: string
  /** Shares are these parts of their sum. */
  readonly weight: number
}

/**
 * Which release answers a key (a session, a client, a request): always the same for the same key and weights, in the long run each by its
 * weight. When a weight changes, keys move only to or from the release whose weight changed: nobody else's answers change.
 *
 * Weighted rendezvous hashing: every release gets the score −weight ÷ ln(u), u from the hash of key and release; the highest wins.
 * Source: Schindelhauer & Schomaker, Weighted distributed hash tables, SPAA 2005 ("logarithmic method").
 *
 * @param releases one at least
 */
export function chooseRelease(key: string, releases: readonly WeightedRelease[]): string {
  let best = releases[0]?.release ?? ''
  let bestScore = -1
  for (const { release, weight } of releases) {
    if (weight <= 0) continue
    const score = -weight / Math.log(uniformOf(key, release))
    if (score > bestScore) {
      bestScore = score
      best = release
    }
  }
  return best
}

/** A number above 0 and below 1 that looks random, the same for the same texts. */
function uniformOf(key: string, salt: string): number {
  return (hash(hash(0x811c9dc5, salt), key) + 0.5) / 2 ** 32
}

/**
 * FNV-1a over UTF-16 units, then the finalizer of MurmurHash3: FNV alone leaves keys that differ in their last character close together.
 * Sources: draft-eastlake-fnv-17; github.com/aappleby/smhasher, MurmurHash3.cpp (fmix32).
 */
function hash(seed: number, text: string): number {
  let state = seed
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) >>> 0
}
