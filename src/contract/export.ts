import { z } from 'zod'

/** What `export` writes. */
export const exportFormatSchema = z.enum(['docker', 'triton', 'kserve', 'package', 'python-client', 'ts-client'])
export type ExportFormat = z.infer<typeof exportFormatSchema>

/** What was written. */
export const exportResultSchema = z.object({
  folder: z.string(),
  /** Relative to the folder, with forward slashes, sorted. */
  files: z.array(z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string() })),
  /** What the user should know: what to run next, what was left out, what could not be checked here. */
  notes: z.array(z.string()),
})
export type ExportResult = z.infer<typeof exportResultSchema>
