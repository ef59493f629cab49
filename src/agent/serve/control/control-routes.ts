import type { z } from 'zod'
import { EdgesmithError } from '../../../contract/errors.ts'
import { predictionPageRequestSchema, prepareRequestSchema, trafficRequestSchema } from '../../../contract/service-protocol.ts'
import { CoreError } from '../../../core/core-error.ts'
import { predictionPage } from '../../monitor/prediction-export.ts'
import type { Answer } from '../http-answer.ts'
import { HttpError } from '../http-error.ts'
import type { Route } from '../service-http.ts'
import type { RolloutController } from './rollout-controller.ts'

/** A request names releases and limits, nothing long. */
const BODY_BYTES = 65_536

/**
 * Paths for the owner of the service on its own machine.
 * @param controller null until the service has begun to serve
 * @param predictionsPath of the prediction log, which need not be there
 */
export function controlRoutes(controller: () => RolloutController | null, predictionsPath: string): readonly (readonly [string, Route])[] {
  const post = (handle: (body: unknown, controller: RolloutController) => Promise<Answer>): Route => ({
    method: 'POST',
    isControl: true,
    bodyBytes: BODY_BYTES,
    handle: (body) => answered(() => handle(body, started(controller))),
  })
  return [
    [
      '/control/prepare',
      post(async (body, control) => {
        const { release, gate } = parsed(prepareRequestSchema, body)
        return { status: 200, body: await control.prepare(release, gate) }
      }),
    ],
    ['/control/traffic', post(async (body, control) => ({ status: 200, body: await control.traffic(parsed(trafficRequestSchema, body)) }))],
    [
      '/control/predictions',
      post(async (body) => ({ status: 200, body: predictionPage(predictionsPath, parsed(predictionPageRequestSchema, body)) })),
    ],
    [
      '/control/live',
      { method: 'GET', isControl: true, handle: () => answered(async () => ({ status: 200, body: await started(controller).live() })) },
    ],
  ]
}

function started(controller: () => RolloutController | null): RolloutController {
  const found = controller()
  if (found) return found
  throw new HttpError('NOT_READY', 'The service is not serving yet.', { headers: { 'retry-after': '1' } })
}

/** @throws HttpError `INVALID_REQUEST` */
function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new HttpError('INVALID_REQUEST', `The body is not valid: ${issue?.path.join('.') || 'the body'}: ${issue?.message ?? ''}.`)
}

/** What does not go together with the state of the service is told to the one who asked; anything else is a bug. */
async function answered(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CoreError || error instanceof EdgesmithError) throw new HttpError('CONFLICT', error.message, { hint: error.hint })
    throw error
  }
}
