/** 97.5 % quantile of the standard normal distribution: 2.5 % in each tail of a 95 % interval. */
const NORMAL_975 = 1.959963984540054

/**
 * 95 % Wilson score interval of a proportion, for example an accuracy. Unlike the usual ± formula it stays inside 0..1 and holds
 * its level at small counts and near 0 and 1. Example: 90 of 100 correct gives 0.826 to 0.945.
 * Source: Wilson 1927; Agresti & Coull 1998.
 *
 * @returns [0, 1] when nothing was counted
 */
export function wilsonInterval(successes: number, count: number): [number, number] {
  if (count === 0) return [0, 1]
  const share = successes / count
  const z2 = NORMAL_975 ** 2
  const centre = (share + z2 / (2 * count)) / (1 + z2 / count)
  const half = (NORMAL_975 * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count ** 2))) / (1 + z2 / count)
  // At the ends rounding must not leave 1e-17 behind or step outside.
  return [successes === 0 ? 0 : Math.max(0, centre - half), successes === count ? 1 : Math.min(1, centre + half)]
}
