import { httpErrors } from '../http-error.ts'
import { closedObject, schemaRef } from './predict-schemas.ts'
import type { JsonSchema } from './value-schemas.ts'

/** Refused before there is a path: these never have the protocol's form. */
const PATHLESS = new Set([408, 431])

/** Responses of all errors, by status: our own form as `Error400`, that of the Open Inference Protocol as `ProtocolError400`. */
export function errorResponses(statuses: readonly number[]): Readonly<Record<string, JsonSchema>> {
  const entries = statuses.flatMap((status) => {
    const errors = Object.entries(httpErrors).filter(([, error]) => error.status === status)
    const description = errors.map(([code, { means }]) => `${code}: ${means}.`).join(' ')
    const codes = errors.map(([code]) => code)
    const error = closedObject({ code: { enum: codes }, message: { type: 'string' }, hint: { type: 'string' } }, ['hint'])
    return [
      [`Error${status}`, response(description, status, closedObject({ error }))],
      ...(PATHLESS.has(status) ? [] : [[`ProtocolError${status}`, response(description, status, schemaRef('ProtocolError'))] as const]),
    ] as const
  })
  return Object.fromEntries(entries)
}

/** What an operation answers with these statuses. */
export function responseRefs(statuses: readonly number[], protocol: boolean): Readonly<Record<string, JsonSchema>> {
  const nameOf = (status: number) => `${protocol && !PATHLESS.has(status) ? 'Protocol' : ''}Error${status}`
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${nameOf(status)}` }]))
}

function response(description: string, status: number, schema: JsonSchema): JsonSchema {
  const retry = status === 429 || status === 503 ? { 'retry-after': { description: 'Seconds.', schema: { type: 'integer' } } } : {}
  return {
    description,
    headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' }, ...retry },
    content: { 'application/json': { schema } },
  }
}
