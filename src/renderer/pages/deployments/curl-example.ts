import type { PortDescription } from '../../../contract/model.ts'
import { shellQuote } from '../../../core/shell-quote.ts'

/** Inputs of at most this many numbers are written out; larger ones come from a file. */
const MAX_INLINE_NUMBERS = 32

/** Commands that work as they are copied: health, and a prediction with zeros, or from a file where the input is large. */
export function curlExample(url: string, inputs: readonly PortDescription[]): string {
  const authorization = '-H "Authorization: Bearer $TOKEN"'
  const lines = ['# TOKEN is the token above', `curl ${authorization} ${url}/health`]
  const predict = `curl ${authorization} -H 'Content-Type: application/json' \\\n  ${url}/predict -d`
  const body = exampleBody(inputs)
  if (body === undefined) lines.push(`# sample.json: {"inputs": {${inputs.map(describe).join(', ')}}}`, `${predict} @sample.json`)
  else lines.push(`${predict} ${shellQuote(body)}`)
  return lines.join('\n')
}

/** A body of zeros without the batch dimension; undefined when it would be long or a dimension is unknown. */
function exampleBody(inputs: readonly PortDescription[]): string | undefined {
  const samples = inputs.map(({ shape }) => (shape ?? [null, null]).slice(1))
  const numbers = samples.map((shape) =>
    shape.reduce<number>((product, size) => product * (typeof size === 'number' ? size : Number.NaN), 1),
  )
  const total = numbers.reduce((sum, count) => sum + count, 0)
  if (!(total <= MAX_INLINE_NUMBERS)) return undefined
  return JSON.stringify({ inputs: Object.fromEntries(inputs.map(({ name }, index) => [name, zeros(samples[index] as number[])])) })
}

function zeros([size, ...rest]: readonly number[]): unknown {
  return size === undefined ? 0 : Array.from({ length: size }, () => zeros(rest))
}

/** `"image": nested lists of 1×28×28 float32`. */
function describe({ name, type, shape }: PortDescription): string {
  const sample = shape?.slice(1).map((size) => size ?? '?')
  const form = sample === undefined ? type : sample.length > 0 ? `nested lists of ${sample.join('×')} ${type}` : `one ${type}`
  return `${JSON.stringify(name)}: ${form}`.replace(/[\r\n]/g, ' ')
}
