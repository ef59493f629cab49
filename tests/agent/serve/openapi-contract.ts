import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { type Reply, type SendOptions, TOKEN } from '../service-fixture.ts'
import { mutilated, resolveRef, validSamples } from './schema-samples.ts'

// biome-ignore lint/suspicious/noExplicitAny: the document is looked into by keyword
type Document = any

export interface Operation {
  readonly path: string
  readonly method: string
  readonly requestSchema: unknown
  readonly responses: Readonly<Record<string, Document>>
}

/** Answers of a service beside what its document says. */
export interface Contract {
  readonly operations: readonly Operation[]
  /** Whether a body fits the operation's schema. */
  accepts(operation: Operation, body: unknown): boolean
  /** Why an answer is none of the documented ones; null when it is. */
  breach(operation: Operation, reply: Reply): string | null
}

/** Stands for the document in references from outside it. */
export const DOCUMENT_ID = 'https://service.test/openapi.json'

/** A validator that knows the schemas of a document; a schema it does not understand is an error. */
export function documentAjv(document: Document): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTuples: false, strictTypes: false })
  ajv.addVocabulary(['openapi', 'info', 'security', 'tags', 'paths', 'components'])
  return ajv.addSchema({ ...document, $id: DOCUMENT_ID })
}

export function contractOf(document: Document): Contract {
  const ajv = documentAjv(document)
  const compiled = new Map<string, ValidateFunction>()
  const validator = (schema: object): ValidateFunction => {
    const key = JSON.stringify(schema)
    // References of the document point into it, not into the part that is compiled.
    const made = compiled.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"$ref":"#/', `"$ref":"${DOCUMENT_ID}#/`)))
    compiled.set(key, made)
    return made
  }
  const operations = Object.entries<Document>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Document>(methods).map(
      ([method, described]): Operation => ({
        path,
        method: method.toUpperCase(),
        requestSchema: described.requestBody?.content['application/json'].schema,
        responses: described.responses,
      }),
    ),
  )
  return {
    operations,
    accepts: ({ requestSchema }, body) => validator(requestSchema as object)(body) === true,
    breach: ({ path, responses }, { status, headers, body }) => {
      const described = responses[status]
      if (!described) return `${path} answered ${status}, which is not documented`
      const response = described.$ref ? resolveRef(described.$ref, document) : described
      const type = headers['content-type']?.split(';')[0] as string
      const content = response.content[type]
      if (!content) return `${path} answered ${status} as ${type}, which is not documented`
      if (headers['x-request-id'] === undefined) return `${path} answered without x-request-id`
      const validate = validator(content.schema)
      return validate(body)
        ? null
        : `${path} answered ${status} with ${JSON.stringify(body).slice(0, 500)}: ${ajv.errorsText(validate.errors)}`
    },
  }
}

/** Requests made from the document: valid bodies, bodies with something wrong, and requests that are wrong around the body. */
export function fuzzRequests(
  { operations }: Contract,
  document: Document,
): fc.Arbitrary<{ operation: Operation; options: SendOptions; isValid: boolean }> {
  const gets = operations.filter(({ requestSchema }) => requestSchema === undefined)
  const posts = operations.filter(({ requestSchema }) => requestSchema !== undefined)
  const wrongAround = fc.constantFrom<SendOptions>(
    { anonymous: true },
    { anonymous: true, headers: { 'x-api-key': `${TOKEN}x` } },
    { headers: { host: 'example.org' } },
    { headers: { 'content-type': 'text/plain' } },
    { headers: { 'x-request-timeout-ms': 'soon' } },
    { headers: { 'content-encoding': 'br' } },
    { headers: { 'inference-header-content-length': '9999999' } },
  )
  const valid = fc
    .constantFrom(...posts)
    .chain((operation) =>
      validSamples(operation.requestSchema, document).map((body) => ({ operation, options: { body } as SendOptions, isValid: true })),
    )
  const invalid = valid.chain(({ operation, options }) =>
    fc.oneof(
      mutilated(options.body).map((body) => ({ operation, options: { body }, isValid: false })),
      fc.json().map((body) => ({ operation, options: { body }, isValid: false })),
      fc.nat(200).map((cut) => ({ operation, options: { body: JSON.stringify(options.body).slice(0, cut) }, isValid: false })),
      wrongAround.map((wrong) => ({ operation, options: { ...options, ...wrong }, isValid: false })),
    ),
  )
  const asked = fc.constantFrom(...gets).map((operation) => ({ operation, options: {} as SendOptions, isValid: true }))
  return fc.oneof({ weight: 4, arbitrary: valid }, { weight: 5, arbitrary: invalid }, { weight: 1, arbitrary: asked })
}
