import { z } from 'zod'

/** [low, high] of a 95 % confidence interval. */
export const intervalSchema = z.tuple([z.number(), z.number()])

/** The machine and software a measurement ran on. */
export const environmentSchema = z.object({
  hostname: z.string(),
  machine: z.string(),
  architecture: z.string(),
  system: z.string(),
  cpu: z.string(),
  cpuFeatures: z.array(z.string()),
  logicalCores: z.number(),
  memoryBytes: z.number(),
  governor: z.string().nullable(),
  loadAverage: z.number().nullable(),
  temperatureC: z.number().nullable(),
  nodeVersion: z.string(),
  onnxRuntimeVersion: z.string(),
  edgesmithVersion: z.string(),
})
export type Environment = z.infer<typeof environmentSchema>
