import { type HttpReply, jsonOf } from '../../platform/http-call.ts'
import { replyText, type ServiceClient } from './service-client.ts'
import { failed, failureOf, passed, type ValidationCheck } from './validation-check.ts'

const NAME = 'answers'
const LIMIT = '/health says ok with a model, /ready says ready, /model_info names the release'

/** Whether the service is alive, ready, and says what it serves. @param release id of the current release; null where it is not known */
export async function checkAnswers(client: ServiceClient, release: string | null): Promise<ValidationCheck> {
  try {
    const [health, ready, model] = [await client.get('/health'), await client.get('/ready'), await client.get('/model_info')]
    const [alive, isReady, served] = [health, ready, model].map(fieldsOf) as [Fields, Fields, Fields]
    if (health.status !== 200 || alive.status !== 'ok' || alive.model_loaded !== true)
      return failed(NAME, `/health answered ${replyText(health)}`, LIMIT)
    if (ready.status !== 200 || isReady.ready !== true) return failed(NAME, `/ready answered ${replyText(ready)}`, LIMIT)
    if (model.status !== 200 || typeof served.version !== 'string') return failed(NAME, `/model_info answered ${replyText(model)}`, LIMIT)
    if (release !== null && served.version !== release)
      return failed(NAME, `/model_info names the release ${served.version}, expected ${release}`, LIMIT)
    return passed(NAME, `ok, ready, release ${served.version}`, LIMIT)
  } catch (error) {
    return failed(NAME, failureOf(error), LIMIT)
  }
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(reply: HttpReply): Fields {
  const value = jsonOf(reply)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
