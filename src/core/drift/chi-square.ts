/** Coefficients of Lanczos' approximation with g = 7: 15 digits for x > 0.5. Source: Godfrey, "A note on the computation of the convergent Lanczos complex Gamma approximation", 2001. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const

/** ln Γ(x), x ≥ 0.5. */
export function lnGamma(x: number): number {
  const z = x - 1
  let sum: number = LANCZOS[0]
  for (let i = 1; i < LANCZOS.length; i++) sum += (LANCZOS[i] as number) / (z + i)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}

/**
 * P(X > x) for the χ² distribution: the regularised upper incomplete gamma function Q(degrees/2, x/2), by its series below the mean and its
 * continued fraction above. Source: Numerical Recipes, 3rd ed., §6.2. Example: 3.841 with 1 degree of freedom gives 0.05.
 *
 * @param degrees of freedom; with 0 X is always 0
 */
export function chiSquareSurvival(x: number, degrees: number): number {
  if (x <= 0) return 1
  if (degrees === 0) return 0
  const a = degrees / 2
  const half = x / 2
  const scale = Math.exp(a * Math.log(half) - half - lnGamma(a))
  return half < a + 1 ? 1 - scale * lowerSeries(a, half) : scale * upperFraction(a, half)
}

/** Σ x^k ÷ (a (a+1) … (a+k)). */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let k = 1; term > sum * Number.EPSILON; k++) {
    term *= x / (a + k)
    sum += term
  }
  return sum
}

/** Lentz's method for 1 ÷ (x+1−a − 1·(1−a) ÷ (x+3−a − …)). */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let value = d
  for (let k = 1, change = 0; Math.abs(change - 1) > Number.EPSILON; k++) {
    const numerator = -k * (k - a)
    b += 2
    d = 1 / avoidZero(numerator * d + b, tiny)
    c = avoidZero(b + numerator / c, tiny)
    change = d * c
    value *= change
    // The fraction converges within some √a steps; the last bit may swing for ever.
    if (k > 10_000) break
  }
  return value
}

function avoidZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value
}

/**
 * The x with P(X ≤ x) = `probability` for the χ² distribution. Example: 0.95 with 9 degrees of freedom gives 16.919.
 *
 * @param probability 0 < p < 1
 * @param degrees of freedom; with 0 the answer is 0
 */
export function chiSquareQuantile(probability: number, degrees: number): number {
  if (degrees === 0) return 0
  const tail = 1 - probability
  let low = 0
  let high = Math.max(1, degrees)
  while (chiSquareSurvival(high, degrees) > tail) high *= 2
  // Each step halves the bracket: 60 of them reach the last bit.
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (chiSquareSurvival(middle, degrees) > tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}
