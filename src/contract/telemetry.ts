import { z } from 'zod'

/** How a machine was at one moment. Null: it does not say. */
export const telemetryReadingSchema = z.object({
  /** Live readings: milliseconds since 1970 on this computer's clock. Readings of a run: milliseconds since its first sample began. */
  atMs: z.number(),
  /** Of the processor's thermal zone, or the hottest one. */
  temperatureC: z.number().nullable(),
  /** Mean of the current clocks of all cores that are on. */
  clockMhz: z.number().nullable(),
  /** Allowed over possible clock, 0 to 1; the smallest of all cores. */
  allowedClock: z.number().nullable(),
  /** Share of all processors in use since the reading before, 0 to 1. */
  cpuLoad: z.number().nullable(),
  memoryUsedBytes: z.number().nullable(),
  /** Power of the whole board, watts. */
  powerW: z.number().nullable(),
  /** Jetson: load of the GPU, 0 to 1, and its clock. */
  gpuLoad: z.number().nullable(),
  gpuClockMhz: z.number().nullable(),
  /** What holds clocks down right now, in words; empty when nothing does or it cannot be told. */
  throttled: z.array(z.string()).max(8),
})
export type TelemetryReading = z.infer<typeof telemetryReadingSchema>

/** Readings during a run, in order. A run's readings are thinned to at most this many. */
export const MOST_RUN_READINGS = 600
export const runTelemetrySchema = z.object({
  readings: z.array(telemetryReadingSchema).max(MOST_RUN_READINGS),
  /** Where the power comes from, for example `INA3221 VDD_IN`; null without a sensor. */
  powerSource: z.string().nullable(),
})
export type RunTelemetry = z.infer<typeof runTelemetrySchema>

/** Energy of one inference, or why it is not known. */
export const energySchema = z.discriminatedUnion('measurable', [
  z.object({
    measurable: z.literal(true),
    /** Millijoules of one inference: the whole board, and what the board draws more than when idle. */
    grossMj: z.number(),
    netMj: z.number(),
    meanW: z.number(),
    /** Mean power just before the measurement. */
    idleW: z.number(),
    readings: z.number(),
    source: z.string(),
    /** The source does not measure the whole board and was scaled by a published formula. */
    estimated: z.boolean(),
  }),
  z.object({ measurable: z.literal(false), reason: z.string() }),
])
export type Energy = z.infer<typeof energySchema>
