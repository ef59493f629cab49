import { z } from 'zod'

/** The file beside a TensorRT engine on the device: what it was built from, and what it fits. */
export const engineRecordSchema = z.object({
  modelSha256: z.string(),
  gpu: z.string().nullable(),
  tensorRt: z.string(),
  jetPack: z.string().nullable(),
  options: z.array(z.string()),
  sizeBytes: z.number(),
  buildSeconds: z.number(),
  warnings: z.array(z.string()),
})
export type EngineRecord = z.infer<typeof engineRecordSchema>
