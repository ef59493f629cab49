import type { NamedTensors } from '../inference-runtime.ts'

/** Calibration inputs, read one feed at a time, as often as needed. */
export interface CalibrationSamples {
  /** Number of feeds; each is one run of the model. */
  readonly feeds: number
  /** Feed `index`, 0 to feeds − 1. */
  read(index: number): Promise<NamedTensors>
}
