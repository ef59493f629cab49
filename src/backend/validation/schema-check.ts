import { jsonMismatch } from '../../core/json-schema/check-json.ts'
import { referred } from '../../core/json-schema/json-schema.ts'
import { sampleJson } from '../../core/json-schema/sample-json.ts'
import { seededRandom } from '../../core/statistics/seeded-random.ts'
import { type HttpReply, jsonOf } from '../../platform/http-call.ts'
import { replyText, type ServiceClient } from './service-client.ts'
import { failed, failureOf, notChecked, passed, type ValidationCheck } from './validation-check.ts'

const NAME = 'schema'
const LIMIT = 'every answer is one that /openapi.json describes'
/** Requests made for each path that takes a body. */
const REQUESTS = 12
const SEED = 1
/** Paths of a document; ours has some 20. */
const MOST_PATHS = 200

/** What the check found, and bodies of `POST /predict` that were answered: a load test needs some. */
export interface SchemaFound {
  readonly check: ValidationCheck
  readonly bodies: readonly string[]
}

/**
 * Makes requests from the service's own OpenAPI document, and checks status, media type and body of every answer against it. A request that
 * fits the document may still be refused, in one of the documented ways: a document cannot say all that a model needs.
 */
export async function checkSchema(client: ServiceClient): Promise<SchemaFound> {
  const bodies: string[] = []
  try {
    const reply = await client.get('/openapi.json')
    const document = jsonOf(reply)
    if (reply.status !== 200 || document === undefined) {
      return { check: failed(NAME, `/openapi.json answered ${replyText(reply)}`, LIMIT), bodies }
    }
    const operations = operationsOf(document)
    if (operations.length === 0) return { check: notChecked(NAME, 'the document has no paths', LIMIT), bodies }
    const random = seededRandom(SEED)
    let asked = 0
    let answered = 0
    for (const operation of operations) {
      const { method, path, requestSchema } = operation
      for (let index = 0; index < (requestSchema === undefined ? 1 : REQUESTS); index++) {
        const body = requestSchema === undefined ? undefined : sampleJson(requestSchema, document, random)
        const answer = method === 'GET' ? await client.get(path) : await client.postJson(path, body)
        asked++
        const wrong = breachOf(operation, answer, document)
        if (wrong !== null) return { check: failed(NAME, `${method} ${path}: ${wrong}`, LIMIT), bodies }
        if (answer.status !== 200) continue
        answered++
        if (path === '/predict') bodies.push(JSON.stringify(body))
      }
    }
    const what = `${asked} requests made from it to ${operations.length} paths, ${answered} answered with 200, all as described`
    return { check: passed(NAME, what, LIMIT), bodies }
  } catch (error) {
    return { check: failed(NAME, failureOf(error), LIMIT), bodies }
  }
}

interface Operation {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly requestSchema: unknown
  readonly responses: Fields
}

type Fields = Readonly<Record<string, unknown>>

function operationsOf(document: unknown): Operation[] {
  return Object.entries(fields(fields(document).paths))
    .slice(0, MOST_PATHS)
    .flatMap(([path, methods]) =>
      Object.entries(fields(methods)).flatMap(([name, described]): Operation[] => {
        const method = name.toUpperCase()
        if ((method !== 'GET' && method !== 'POST') || path.includes('{')) return []
        const { requestBody, responses } = fields(described)
        const json = fields(fields(fields(requestBody).content)['application/json'])
        if (method === 'POST' && json.schema === undefined) return []
        return [{ method, path, requestSchema: method === 'POST' ? json.schema : undefined, responses: fields(responses) }]
      }),
    )
}

/** Why an answer is none of the documented ones. */
function breachOf({ responses }: Operation, reply: HttpReply, document: unknown): string | null {
  let described = responses[String(reply.status)]
  if (described === undefined) return `the status ${reply.status} is not described. It answered ${replyText(reply)}`
  const reference = fields(described).$ref
  if (typeof reference === 'string') described = referred(reference, document)
  const content = fields(fields(described).content)
  const type = String(reply.headers['content-type'] ?? '').split(';')[0] as string
  if (Object.keys(content).length === 0) return null
  if (!Object.hasOwn(content, type)) return `the media type "${type}" of ${reply.status} is not described`
  const { schema } = fields(content[type])
  if (schema === undefined) return null
  const value = /^application\/(?:.+\+)?json$/.test(type) ? jsonOf(reply) : reply.bytes.toString('utf8')
  if (value === undefined) return `its ${reply.status} is not JSON: ${replyText(reply)}`
  const wrong = jsonMismatch(value, schema, document)
  return wrong === null ? null : `its ${reply.status} does not fit: ${wrong}`
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
