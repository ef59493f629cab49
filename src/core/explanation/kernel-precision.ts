import { kernelValueType, worksIn8Bits } from './kernel-kinds.ts'
import type { ProfiledKernel } from './model-profile.ts'

/**
 * The element type a kernel computes in: `int8` for 8-bit kernels of either sign, else its first floating point value, else that of
 * what it writes. QuantizeLinear and DequantizeLinear count by the floats they convert.
 */
export function kernelPrecision(kernel: Pick<ProfiledKernel, 'op' | 'inputs' | 'outputs'>): string {
  if (worksIn8Bits(kernel)) return 'int8'
  const types = [...kernel.outputs, ...kernel.inputs].map(({ type }) => kernelValueType(type))
  return types.find((type) => type.startsWith('float') || type === 'bfloat16') ?? types[0] ?? 'unknown'
}
