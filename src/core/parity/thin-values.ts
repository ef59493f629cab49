/**
 * How many values of each tensor are kept so that all together are at most `total`: small tensors whole, large ones cut to one common size.
 *
 * @param sizes numbers of values
 */
export function keptSizes(sizes: readonly number[], total: number): number[] {
  let left = total
  const kept = new Map<number, number>()
  const ascending = sizes.map((size, index) => ({ size, index })).sort((a, b) => a.size - b.size)
  for (const [place, { size, index }] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - place))
    const own = Math.min(size, share)
    kept.set(index, own)
    left -= own
  }
  return sizes.map((_, index) => kept.get(index)!)
}

/**
 * Distance of the values to keep of a tensor: the first from `size / most` on that has no factor in common with `size`. A step that divides the
 * width or the number of channels would visit the same column or channel again and again.
 *
 * @param most values that may be kept, at least 1
 */
export function thinningStride(size: number, most: number): number {
  if (size <= most) return 1
  let stride = Math.ceil(size / most)
  while (greatestCommonDivisor(stride, size) !== 1) stride++
  return stride
}

function greatestCommonDivisor(a: number, b: number): number {
  let [large, small] = [a, b]
  while (small > 0) [large, small] = [small, large % small]
  return large
}
