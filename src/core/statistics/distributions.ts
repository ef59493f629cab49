/**
 * Φ(x), the standard normal distribution function, within 1e-14 for |x| ≤ 7; further out 0 or 1.
 * Source: Marsaglia, "Evaluating the Normal Distribution", J. Stat. Software 11(4), 2004.
 */
export function normalCdf(x: number): number {
  if (x < -7) return 0
  if (x > 7) return 1
  let sum = x
  let term = x
  for (let i = 3, last = 0; sum !== last; i += 2) {
    last = sum
    term *= (x * x) / i
    sum += term
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI)
}

/**
 * P(|T| ≤ t) for Student's t with a whole number of degrees of freedom, by the finite series.
 * Source: Abramowitz & Stegun 26.7.3 and 26.7.4.
 */
function studentTwoSided(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees))
  const sine = Math.sin(angle)
  const cosine = Math.cos(angle)
  const odd = degrees % 2 === 1
  let term = odd ? cosine : 1
  let sum = degrees === 1 ? 0 : term
  for (let k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine
    sum += term
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum
}

/** The t that {@link studentTwoSided} gives `probability` for (0 < probability < 1); 2.262 for 95 % and 9 degrees of freedom. */
export function studentQuantile(probability: number, degrees: number): number {
  let low = 0
  let high = 1
  while (studentTwoSided(high, degrees) < probability) high *= 2
  // Each step halves the bracket: 60 of them reach the last bit.
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (studentTwoSided(middle, degrees) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}
