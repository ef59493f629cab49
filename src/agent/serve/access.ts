import { createHash, timingSafeEqual } from 'node:crypto'
import type { HttpRequest } from '../http/http-request.ts'
import { HttpError } from './http-error.ts'
import { type RateLimit, TokenBucket } from './rate-limit.ts'

/** Names a browser or tunnel on this machine uses for it. Anything else is a page that resolved its own name to 127.0.0.1. */
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/** A client besides those that know the token. */
export interface ApiKey {
  readonly name: string
  /** Of the key's text, in hexadecimal. */
  readonly sha256: string
  /** Instead of that of all others. */
  readonly rateLimit: RateLimit | null
}

export interface AccessRules {
  /** What clients must present, as `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`. */
  readonly token: string
  readonly apiKeys: readonly ApiKey[]
  /** Predictions of each client. */
  readonly rateLimit: RateLimit | null
  /** Names in the Host header beside the loopback ones, without port. */
  readonly hosts: readonly string[]
}

/** Somebody who was let in. */
export interface Client {
  /** `token` or the name of the key. */
  readonly name: string
  /** Knows the service's own token. */
  readonly isOwner: boolean
  readonly bucket: TokenBucket | null
}

/** Lets in requests that know the token or a key and were meant for this machine. */
export interface AccessCheck {
  /** @throws HttpError `HOST_NOT_ALLOWED` */
  requireHost(request: HttpRequest): void
  /** @throws HttpError `UNAUTHORIZED` */
  requireClient(request: HttpRequest): Client
}

export function accessCheck({ token, apiKeys, rateLimit, hosts }: AccessRules): AccessCheck {
  const names = new Set(hosts.map((host) => host.toLowerCase()))
  const client = (name: string, isOwner: boolean, limit: RateLimit | null): Client => ({
    name,
    isOwner,
    bucket: limit && new TokenBucket(limit, performance.now()),
  })
  const holder = client('token', true, rateLimit)
  const keys = apiKeys.map((key) => ({
    digest: Buffer.from(key.sha256, 'hex'),
    client: client(key.name, false, key.rateLimit ?? rateLimit),
  }))
  // Hashing costs as much as all other checks together: a connection's key is hashed when it is first seen there, then compared.
  const seen = new WeakMap<object, { readonly presented: string; readonly client: Client }>()
  const ordinary = `Bearer ${token}`

  const clientOf = (presented: string | undefined, connection: object): Client | undefined => {
    if (presented === undefined) return undefined
    if (isSame(presented, token)) return holder
    if (keys.length === 0) return undefined
    const known = seen.get(connection)
    if (known && isSame(presented, known.presented)) return known.client
    const digest = createHash('sha256').update(presented).digest()
    let found: Client | undefined
    // All of them, so that the time does not say which one it was.
    for (const key of keys) if (timingSafeEqual(digest, key.digest)) found = key.client
    if (found) seen.set(connection, { presented, client: found })
    return found
  }

  return {
    requireHost: ({ headers }) => {
      if (isAllowedHost(headers.host, names)) return
      const allowed = ['localhost', '127.0.0.1', '[::1]', ...hosts]
      throw new HttpError('HOST_NOT_ALLOWED', `The Host header must be ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}.`, {
        hint: hosts.length === 0 ? 'The service is reached on this machine or through a tunnel only.' : undefined,
      })
    },
    requireClient: ({ headers, connection }) => {
      // What nearly all requests say need not be taken apart first.
      if (headers.authorization !== undefined && isSame(headers.authorization, ordinary)) return holder
      const bearer = bearerOf(headers.authorization)
      // Repeated, they are joined by a comma and a space, which no token or key of ours holds.
      const key = headers['x-api-key']
      const found = clientOf(bearer, connection) ?? clientOf(key, connection)
      if (found) return found
      throw new HttpError('UNAUTHORIZED', (bearer ?? key) ? 'The access token is wrong.' : 'An access token is needed.', {
        hint: 'Send "Authorization: Bearer TOKEN" or "X-API-Key: TOKEN".',
        headers: { 'www-authenticate': 'Bearer realm="edgesmith"' },
      })
    },
  }
}

function isAllowedHost(host: string | undefined, names: ReadonlySet<string>): boolean {
  if (host === undefined) return false
  return LOOPBACK_HOST.test(host) || (names.size > 0 && names.has(host.toLowerCase().replace(/:\d{1,5}$/, '')))
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
