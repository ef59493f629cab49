import type { MachinePeak, ProfiledKernelRow } from '../../contract/analysis.ts'

/** A kernel in the roofline model. */
export interface RooflinePoint {
  readonly kernel: ProfiledKernelRow
  /** Multiply-accumulates for each byte of weights, inputs and outputs. */
  readonly intensity: number
  /** Thousand million multiply-accumulates a second that were reached. */
  readonly gmacsPerSecond: number
  /** The most the machine could reach at this intensity, in the kernel's precision. */
  readonly roofGmacs: number | null
}

/** Whether a kernel computes in 8 bits. */
function isInt8({ precision }: ProfiledKernelRow): boolean {
  return /int8/.test(precision)
}

/** The most a machine can do at an arithmetic intensity: its peak, or what memory can feed it. */
export function roofAt(intensity: number, peakGmacs: number, gbPerSecond: number): number {
  return Math.min(peakGmacs, intensity * gbPerSecond)
}

/**
 * Kernels that compute, slowest first. After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model"
 * (2009), with multiply-accumulates in place of operations, and with the bytes of all operands, as if none stayed in a cache: kernels
 * whose operands stay in one can lie above the slope.
 */
export function rooflinePoints(kernels: readonly ProfiledKernelRow[], peak: MachinePeak | null): RooflinePoint[] {
  return kernels
    .flatMap((kernel): RooflinePoint[] => {
      const bytes = kernel.weightBytes + kernel.inputBytes + kernel.outputBytes
      if (!kernel.macs || !(kernel.ms > 0) || !(bytes > 0)) return []
      const intensity = kernel.macs / bytes
      const most = peak === null ? null : isInt8(kernel) ? (peak.gmacsInt8 ?? peak.gmacsFloat32) : peak.gmacsFloat32
      return [
        {
          kernel,
          intensity,
          gmacsPerSecond: kernel.macs / kernel.ms / 1e6,
          roofGmacs: most === null || peak === null ? null : roofAt(intensity, most, peak.gbPerSecond),
        },
      ]
    })
    .sort((a, b) => b.kernel.ms - a.kernel.ms)
}
