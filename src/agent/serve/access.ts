import { createHash, timingSafeEqual } from 'node:crypto'
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
  const expected = hash(token)
  // Hashes have equal length, so the comparison's time says nothing about the token, not even its length.
  const matches = (presented: string | undefined) => presented !== undefined && timingSafeEqual(hash(presented), expected)
  return {
    require: ({ headers, headersDistinct }) => {
      const hosts = headersDistinct.host ?? []
      if (hosts.length !== 1 || !LOOPBACK_HOST.test(hosts[0] as string)) {
        throw new HttpError('HOST_NOT_ALLOWED', 'The Host header must be localhost, 127.0.0.1 or [::1].', {
          hint: 'The service is reached on this machine or through a tunnel only.',
        })
      }
      const bearer = /^Bearer +([\x21-\x7e]+) *$/i.exec(headers.authorization ?? '')?.[1]
      const key = headersDistinct['x-api-key']?.[0]
      if (!matches(bearer) && !matches(key)) {
        throw new HttpError('UNAUTHORIZED', (bearer ?? key) ? 'The access token is wrong.' : 'An access token is needed.', {
          hint: 'Send "Authorization: Bearer TOKEN" or "X-API-Key: TOKEN".',
          headers: { 'www-authenticate': 'Bearer realm="edgesmith"' },
        })
      }
    },
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
