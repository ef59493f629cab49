import type { JobReporter } from '../../contract/job.ts'
import { jsonOf } from '../../platform/http-call.ts'
import type { Services as DeviceServices } from '../../remote/device-session.ts'
import { replyText, type ServiceClient } from './service-client.ts'
import { failed, failureOf, passed, type ValidationCheck } from './validation-check.ts'

const NAME = 'restart'
const LIMIT = 'its process is killed: the service answers again, and the same'

/**
 * Ends the serving process as a crash would, waits until the service answers again, and compares its answer to one request.
 * @param body of `POST /predict`; without one only that it answers is checked
 */
export async function checkRestart(
  services: DeviceServices,
  service: string,
  client: ServiceClient,
  body: string | undefined,
  context: JobReporter & { readonly signal: AbortSignal },
): Promise<ValidationCheck> {
  try {
    const before = await outputsOf(client, body)
    const { state, message } = await services.crash(service, context, context.signal)
    if (state !== 'running') return failed(NAME, `the service is ${state} after it: ${message ?? 'it says nothing'}`, LIMIT)
    const ready = await client.get('/ready')
    if (ready.status !== 200) return failed(NAME, `/ready answered ${replyText(ready)} after it`, LIMIT)
    const after = await outputsOf(client, body)
    if (after !== before) return failed(NAME, `it answers ${after} after it, ${before} before`, LIMIT)
    return passed(NAME, message ?? 'it answers again', LIMIT)
  } catch (error) {
    return failed(NAME, failureOf(error), LIMIT)
  }
}

/** Outputs for one sample as text; the status where they are none. */
async function outputsOf(client: ServiceClient, body: string | undefined): Promise<string> {
  if (body === undefined) return 'nothing'
  const reply = await client.postJson('/predict', JSON.parse(body))
  const answer = jsonOf(reply)
  return typeof answer === 'object' && answer !== null && 'outputs' in answer ? JSON.stringify(answer.outputs) : `status ${reply.status}`
}
