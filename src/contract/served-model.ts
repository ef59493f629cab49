import { z } from 'zod'

// Answers of our REST server that the http benchmark reads; the server may say more.

const dimensions = z.array(z.union([z.int().min(0), z.string(), z.null()]))

/** `GET /model_info`: `shape` is what the model takes, `sample_shape` the same without the batch dimension where there is one. */
export const servedModelSchema = z.object({
  inputs: z.array(z.object({ name: z.string(), type: z.string(), shape: dimensions, sample_shape: dimensions })).max(1000),
})

/** `GET /stats`, of the server's process. */
export const servedStatsSchema = z.object({ rss_bytes: z.number(), peak_rss_bytes: z.number(), cpu_ms: z.number() })
