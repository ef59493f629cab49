import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'

/** Names a browser or tunnel on this machine uses for it. Anything else is a page that resolved its own name to 127.0.0.1. */
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/** Lets in requests that know the token and were meant for this machine. */
export interface AccessCheck {
  /** @throws HttpError `HOST_NOT_ALLOWED`, `UNAUTHORIZED` */
  require(request: IncomingMessage): void
}

/**
 * @param token what clients must present, as `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`
 */
export function accessCheck(token: string): AccessCheck {
  const matches = (presented: string | undefined) => presented !== undefined && isSame(presented, token)
  return {
    require: ({ headers, rawHeaders }) => {
      if (!isLoopback(headers.host, rawHeaders)) {
        throw new HttpError('HOST_NOT_ALLOWED', 'The Host header must be localhost, 127.0.0.1 or [::1].', {
          hint: 'The service is reached on this machine or through a tunnel only.',
        })
      }
      const bearer = bearerOf(headers.authorization)
      // Repeated, Node joins them with a comma, which no token of ours holds.
      const key = headers['x-api-key'] as string | undefined
      if (!matches(bearer) && !matches(key)) {
        throw new HttpError('UNAUTHORIZED', (bearer ?? key) ? 'The access token is wrong.' : 'An access token is needed.', {
          hint: 'Send "Authorization: Bearer TOKEN" or "X-API-Key: TOKEN".',
          headers: { 'www-authenticate': 'Bearer realm="edgesmith"' },
        })
      }
    },
  }
}

/** Node keeps the first of several Host headers; a request with several is not taken. */
function isLoopback(host: string | undefined, rawHeaders: readonly string[]): boolean {
  if (host === undefined || !LOOPBACK_HOST.test(host)) return false
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts === 1
}

function bearerOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1]
}

/**
 * Compares all characters whatever they are, so that the time says nothing of how many are right; only of the length, which is no secret.
 * Hashing both first would cost several times as much as everything else that is checked of a request.
 */
function isSame(presented: string, expected: string): boolean {
  if (presented.length !== expected.length) return false
  let difference = 0
  for (let index = 0; index < expected.length; index++) difference |= presented.charCodeAt(index) ^ expected.charCodeAt(index)
  return difference === 0
}
