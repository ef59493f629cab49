import { type Dim, isStatic, type TensorFact } from './shapes.ts'

/** Values of a tensor broadcast to `shape`. */
export function spread(fact: TensorFact, shape: readonly number[]): Dim[] | undefined {
  const { values, shape: own } = fact
  if (!values || !isStatic(own)) return undefined
  const padded = [...shape.slice(own.length).map(() => 1), ...own]
  const strides = rowMajor(padded).map((stride, axis) => (padded[axis] === 1 ? 0 : stride))
  return pick(values, shape, strides, 0)
}

/** Values at offset + Σ index·stride for every index of `shape`, in row-major order. */
export function pick(values: readonly Dim[], shape: readonly number[], strides: readonly number[], offset: number): Dim[] {
  const count = shape.reduce((product, dim) => product * dim, 1)
  return Array.from({ length: count }, (_, flat) => {
    let [rest, at] = [flat, offset]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const dim = shape[axis] as number
      at += (rest % dim) * (strides[axis] as number)
      rest = Math.floor(rest / dim)
    }
    return values[at]
  })
}

/** Distance in elements between neighbours on each axis of a row-major array. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number)
  return strides
}
