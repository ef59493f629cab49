import { z } from 'zod'

/** One named value of a request. */
export interface FormField {
  readonly name: string
  readonly kind: 'number' | 'integer' | 'text' | 'boolean'
  /** Smallest and largest value that is taken; null for no bound worth showing. */
  readonly min: number | null
  readonly max: number | null
}

/** One input as nested lists. */
export interface FormInput {
  readonly name: string
  readonly type: string
  /** Of what is sent; null for any size. */
  readonly shape: readonly (number | string | null)[]
}

/** What requests to a service are made of. */
export interface ServedForm {
  readonly inputs: readonly FormInput[]
  /** Empty where values have no names. */
  readonly fields: readonly FormField[]
  /** Content types of image files it takes; empty where it takes none. */
  readonly imageTypes: readonly string[]
  readonly hasEmbedding: boolean
}

const dimsSchema = z.array(z.union([z.number(), z.string(), z.null()])).max(16)
const modelInfoSchema = z.object({
  inputs: z.array(z.object({ name: z.string(), type: z.string(), sent_shape: dimsSchema })).max(1000),
  embedding: z.string().nullish(),
})
const fieldSchema = z.object({ type: z.string().catch('number'), minimum: z.number().optional(), maximum: z.number().optional() })
const openApiSchema = z.object({
  paths: z
    .object({ '/predict': z.object({ post: z.object({ requestBody: z.object({ content: z.record(z.string(), z.unknown()) }) }) }) })
    .optional(),
  components: z
    .object({ schemas: z.object({ NamedFields: z.object({ properties: z.record(z.string(), fieldSchema) }).optional() }) })
    .optional(),
})

/** Bounds of this size are those of the number's type, not of the data. */
const BOUND_OF_TYPE = 1e15

/** Reads what a service says of itself; it comes from a device and is checked. Null where it cannot be read. */
export function servedForm(described: { readonly modelInfo: unknown; readonly openApi: unknown }): ServedForm | null {
  const info = modelInfoSchema.safeParse(described.modelInfo)
  const document = openApiSchema.safeParse(described.openApi)
  if (!info.success || !document.success) return null
  const { paths, components } = document.data
  const named = components?.schemas.NamedFields?.properties ?? {}
  const content = Object.keys(paths?.['/predict'].post.requestBody.content ?? {})
  return {
    inputs: info.data.inputs.map(({ name, type, sent_shape: shape }) => ({ name, type, shape })),
    fields: Object.entries(named).map(([name, { type, minimum, maximum }]) => ({
      name,
      kind: type === 'integer' ? 'integer' : type === 'string' ? 'text' : type === 'boolean' ? 'boolean' : 'number',
      min: bound(minimum),
      max: bound(maximum),
    })),
    imageTypes: content.filter((type) => type.startsWith('image/')),
    hasEmbedding: typeof info.data.embedding === 'string',
  }
}

function bound(value: number | undefined): number | null {
  return value === undefined || Math.abs(value) >= BOUND_OF_TYPE ? null : value
}

/** A value in the middle of a field's range, short enough to read, to begin with. */
export function startValue({ kind, min, max }: FormField): string {
  if (kind === 'text') return ''
  if (kind === 'boolean') return 'false'
  const low = min ?? (max === null ? 0 : Math.min(0, max))
  const high = max ?? Math.max(0, low)
  const middle = (low + high) / 2
  const short = kind === 'integer' ? Math.round(middle) : Number(middle.toPrecision(4))
  return String(short >= low && short <= high ? short : middle)
}

/** The range of a field in words; empty where it has none. */
export function rangeText({ kind, min, max }: FormField): string {
  const whole = kind === 'integer' ? 'whole, ' : ''
  if (min !== null && max !== null) return `${whole}${short(min)} to ${short(max)}`
  if (min !== null) return `${whole}from ${short(min)}`
  if (max !== null) return `${whole}up to ${short(max)}`
  return kind === 'integer' ? 'whole number' : kind === 'boolean' ? 'true or false' : ''
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)))
}
