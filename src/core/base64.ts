const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const EQUALS = 61

const encoding = new TextEncoder().encode(ALPHABET)
/** Value of each ASCII character, 255 for those outside the alphabet. */
const decoding = new Uint8Array(128).fill(255)
encoding.forEach((character, value) => {
  decoding[character] = value
})

/** Bytes as base64 with padding (RFC 4648 §4). Example: [1, 2] gives "AQI=". */
export function encodeBase64(bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % 3)
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4)
  let out = 0
  for (let i = 0; i < whole; i += 3) {
    const word = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number)
    text[out++] = encoding[word >>> 18] as number
    text[out++] = encoding[(word >>> 12) & 63] as number
    text[out++] = encoding[(word >>> 6) & 63] as number
    text[out++] = encoding[word & 63] as number
  }
  if (whole < bytes.length) {
    const two = bytes.length - whole === 2
    const word = ((bytes[whole] as number) << 16) | (two ? (bytes[whole + 1] as number) << 8 : 0)
    text[out++] = encoding[word >>> 18] as number
    text[out++] = encoding[(word >>> 12) & 63] as number
    text[out++] = two ? (encoding[(word >>> 6) & 63] as number) : EQUALS
    text[out++] = EQUALS
  }
  return new TextDecoder().decode(text)
}

/**
 * The bytes of canonical base64 text: padded, no white space, unused bits zero, so that every byte string has one spelling only.
 * @throws RangeError for anything else
 */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new RangeError(`base64 of ${text.length} characters, expected a multiple of 4`)
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  const whole = text.length - (padding > 0 ? 4 : 0)
  let out = 0
  for (let i = 0; i < whole; i += 4) {
    const word = (valueAt(text, i) << 18) | (valueAt(text, i + 1) << 12) | (valueAt(text, i + 2) << 6) | valueAt(text, i + 3)
    bytes[out++] = word >>> 16
    bytes[out++] = word >>> 8
    bytes[out++] = word
  }
  if (padding > 0) {
    const third = padding === 1 ? valueAt(text, whole + 2) : 0
    const word = (valueAt(text, whole) << 18) | (valueAt(text, whole + 1) << 12) | (third << 6)
    if ((word & (padding === 1 ? 0xff : 0xffff)) !== 0) throw new RangeError('base64 ends in bits that belong to no byte')
    bytes[out++] = word >>> 16
    if (padding === 1) bytes[out++] = word >>> 8
  }
  return bytes
}

function valueAt(text: string, index: number): number {
  const value = decoding[text.charCodeAt(index)] ?? 255
  if (value === 255) throw new RangeError(`base64 has an unexpected character at ${index}`)
  return value
}
