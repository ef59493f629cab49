import type { RequestHeaders } from '../../http/request-head.ts'
import { HttpError } from '../http-error.ts'
import { type BodyFormat, jsonBody } from '../request-body.ts'

/** Content types of image files that are read; what a file really is, its first bytes say. */
export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/bmp'] as const
/** Names that are in use beside the registered ones. */
const OTHER_NAMES: ReadonlySet<string> = new Set(['image/jpg', 'image/pjpeg', 'image/x-ms-bmp', 'image/x-bmp'])

/** What makes base64 a data URL (RFC 2397). */
const DATA_URL = /^data:image\/[a-z0-9.+-]{1,30};base64,/
/** Looked for, instead of matching the whole: a pattern over millions of characters takes a second, or more stack than there is. */
const NOT_BASE64 = /[^A-Za-z0-9+/]/

/** An image file that came as a request. */
export class ImageRequest {
  readonly bytes: Uint8Array
  readonly withEmbedding: boolean

  constructor(bytes: Uint8Array, withEmbedding: boolean) {
    this.bytes = bytes
    this.withEmbedding = withEmbedding
  }
}

/** The body of `POST /predict`: JSON, or an image file, which becomes an {@link ImageRequest}. */
export const predictBody: BodyFormat = {
  require: (headers) => {
    if (!isImage(headers)) jsonBody.require(headers)
    else if (!isKnownType(headers)) {
      const type = headers['content-type']?.slice(0, 60)
      throw new HttpError('UNSUPPORTED_MEDIA_TYPE', `Images of type ${JSON.stringify(type)} are not read.`, {
        hint: `Send ${IMAGE_TYPES.join(', ')} or application/json.`,
      })
    }
  },
  decode: (bytes, headers) => (isImage(headers) ? new ImageRequest(bytes, false) : jsonBody.decode(bytes, headers)),
}

/**
 * The image of a JSON body `{"image": BASE64, "embedding"?: boolean}`, where it is of that form; null for bodies without "image".
 * @throws HttpError `INVALID_REQUEST`
 */
export function imageInJson(body: unknown): ImageRequest | null {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'image')) return null
  const { image, embedding = false, ...others } = body as Record<string, unknown>
  const [other] = Object.keys(others)
  if (other !== undefined) {
    throw new HttpError('INVALID_REQUEST', `The body has ${JSON.stringify(other.slice(0, 80))} beside "image".`, {
      hint: 'Known fields: image, embedding.',
    })
  }
  if (typeof embedding !== 'boolean') throw new HttpError('INVALID_REQUEST', '"embedding" must be true or false.')
  const bytes = typeof image === 'string' ? base64Bytes(image) : null
  if (!bytes) throw new HttpError('INVALID_REQUEST', '"image" must be an image file as base64 text.')
  return new ImageRequest(bytes, embedding)
}

/** Bytes of base64 text (RFC 4648 §4), with or without padding and what makes it a data URL; null for other or empty text. */
function base64Bytes(text: string): Uint8Array | null {
  const start = DATA_URL.exec(text)?.[0].length ?? 0
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = text.slice(start, text.length - padding)
  const rest = digits.length % 4
  if (digits === '' || rest === 1 || (padding > 0 && rest + padding !== 4) || NOT_BASE64.test(digits)) return null
  return Buffer.from(digits, 'base64')
}

function isImage(headers: RequestHeaders): boolean {
  const type = headers['content-type']
  return type !== undefined && /^image\//i.test(type)
}

/** Parameters say nothing about image files. */
function isKnownType(headers: RequestHeaders): boolean {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return OTHER_NAMES.has(type) || IMAGE_TYPES.some((known) => known === type)
}
