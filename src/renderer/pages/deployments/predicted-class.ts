import { z } from 'zod'

const answerSchema = z.object({
  prediction: z.object({ class: z.number(), label: z.string().nullish(), confidence: z.number().nullish() }).nullish(),
})

/** The class a service answered with. */
export interface PredictedClass {
  readonly index: number
  readonly label: string | null
  /** 0 to 1; null when the service gave none. */
  readonly confidence: number | null
}

/** The prediction in an answer of POST /predict; null where the model is no classifier or the request was refused. */
export function predictedClass(response: unknown): PredictedClass | null {
  const parsed = answerSchema.safeParse(response)
  const prediction = parsed.success ? parsed.data.prediction : null
  if (!prediction) return null
  return { index: prediction.class, label: prediction.label ?? null, confidence: prediction.confidence ?? null }
}
