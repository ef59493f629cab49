import { z } from 'zod'
import { environmentSchema } from './environment.ts'

/** One output (or inner tensor) of a model on a device against this computer's, over all compared samples. */
const tensorDifferenceSchema = z.object({
  /** Signal to noise in decibels; null when nothing differs (`maxAbsDiff` is 0 then) or values are not finite. */
  sqnrDb: z.number().nullable(),
  maxAbsDiff: z.number().nullable(),
})

/** The same build on the same samples on a device and on this computer. */
export const parityResultSchema = z.object({
  samples: z.number(),
  /** Where the inputs came from, in words. */
  inputs: z.string(),
  outputs: z.array(
    tensorDifferenceSchema.extend({
      name: z.string(),
      shape: z.array(z.number()),
      meanAbsDiff: z.number().nullable(),
      cosine: z.number().nullable(),
    }),
  ),
  /** Share of samples that both give the same class; null for models that do not give one score a class. */
  top1Agreement: z.number().nullable(),
  /** Every compared inner tensor in graph order; `lostDb`: how much signal to noise the layer lost against its inputs. */
  layers: z.array(tensorDifferenceSchema.extend({ layer: z.string(), op: z.string(), lostDb: z.number().nullable() })),
  /** The layers most likely responsible, worst first, with the reason in words. */
  suspects: z.array(z.object({ layer: z.string(), op: z.string(), message: z.string() })),
  verdict: z.enum(['identical', 'within rounding', 'different']),
  /** Why that verdict, in one sentence. */
  reason: z.string(),
  /** What to do; null when there is nothing to do. */
  advice: z.string().nullable(),
  here: environmentSchema,
  there: environmentSchema,
  warnings: z.array(z.string()),
})
export type ParityResult = z.infer<typeof parityResultSchema>
