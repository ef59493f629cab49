import { lnGamma } from './chi-square.ts'

/**
 * P(D ≥ d) for the two-sided one-sample Kolmogorov-Smirnov statistic of `count` samples. It also approximates the two-sample statistic with
 * count = n·m/(n+m). In the tail twice the one-sided probability, else the expansion of Pelz and Good, which is within 1e-5 from 100 samples on.
 * Source: Simard & L'Ecuyer, "Computing the Two-Sided Kolmogorov-Smirnov Distribution", J. Stat. Software 39(11), 2011.
 *
 * @param count whole number, at least 100
 */
export function kolmogorovSurvival(d: number, count: number): number {
  if (d <= 0) return 1
  if (d >= 1) return 0
  const scaled = count * d * d
  if (scaled >= 370) return 0
  // From here on samples that are far off on both sides are less than a millionth of those far off on one.
  if (scaled >= 2.2) return Math.min(1, 2 * smirnovSurvival(d, count))
  return Math.min(1, Math.max(0, 1 - pelzGood(Math.sqrt(count) * d, count)))
}

/** P(D⁺ ≥ d), one-sided: Σ C(n, j) d (d + j/n)^(j−1) (1 − d − j/n)^(n−j) over j ≤ n (1 − d) (Birnbaum & Tingey 1951). */
function smirnovSurvival(d: number, count: number): number {
  let sum = 0
  const lnFactorial = lnGamma(count + 1)
  for (let j = 0; j / count < 1 - d; j++) {
    const lnChoose = lnFactorial - lnGamma(j + 1) - lnGamma(count - j + 1)
    sum += Math.exp(lnChoose + (j - 1) * Math.log(d + j / count) + (count - j) * Math.log1p(-d - j / count))
  }
  return d * sum
}

/**
 * P(D < z/√n) ≈ K₀(z) + K₁(z)/√n + K₂(z)/n + K₃(z)/n^1.5, each K a sum in exp(−π²/8z²), which is short for small z.
 * Source: Pelz & Good, "Approximating the Lower Tail-areas of the Kolmogorov-Smirnov One-sample Statistic", J. R. Stat. Soc. B 38(2), 1976.
 */
function pelzGood(z: number, count: number): number {
  const pi2 = Math.PI ** 2
  const [z2, z4, z6, z8] = [z ** 2, z ** 4, z ** 6, z ** 8]
  const terms = Math.ceil((16 * z) / Math.PI)
  let [k0, k1, k2, k3] = [0, 0, 0, 0]
  for (let k = terms; k >= 1; k--) {
    const odd = 2 * k - 1
    const [o2, o4, o6] = [odd ** 2, odd ** 4, odd ** 6]
    const weight = Math.exp((-pi2 / (8 * z2)) * o2)
    k0 += weight
    k1 += weight * (-z2 + (pi2 / 4) * o2)
    k2 += weight * (6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * pi2 * o2) / 4 + (pi2 ** 2 * (1 - 2 * z2) * o4) / 16)
    k3 +=
      weight *
      (-30 * z6 -
        90 * z8 +
        (pi2 * (135 * z4 - 96 * z6) * o2) / 4 +
        (pi2 ** 2 * (212 * z4 - 60 * z2) * o4) / 16 +
        (pi2 ** 3 * (5 - 30 * z2) * o6) / 64)
  }
  const root = Math.sqrt(2 * Math.PI)
  k0 *= root / z
  k1 *= root / (6 * z4)
  k2 *= root / (72 * z ** 7)
  k3 *= root / (6480 * z ** 10)
  for (let k = 1; k <= terms; k++) {
    const weight = Math.exp((-pi2 / (2 * z2)) * k * k)
    k2 -= ((pi2 * root) / (36 * z ** 3)) * k * k * weight
    k3 += ((pi2 * root) / (216 * z6)) * (3 * z2 - pi2 * k * k) * k * k * weight
  }
  return k0 + k1 / Math.sqrt(count) + k2 / count + k3 / count ** 1.5
}
