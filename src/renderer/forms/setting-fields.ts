import { z } from 'zod'

/** A setting as a form shows it; made from the schema, so that form, command line and checks never differ. */
export type SettingField = SettingFieldBase &
  (
    | { readonly kind: 'switch' }
    | { readonly kind: 'number'; readonly integer: boolean; readonly min: number | null; readonly max: number | null }
    | { readonly kind: 'choice'; readonly options: readonly string[] }
    /** One of a few numbers. */
    | { readonly kind: 'number-choice'; readonly options: readonly number[] }
    | { readonly kind: 'names' }
    /** Values by name, written as JSON. */
    | { readonly kind: 'record' }
    | { readonly kind: 'text' }
  )

interface SettingFieldBase {
  readonly key: string
  readonly label: string
  readonly description: string | null
  readonly defaultValue: unknown
}

/** The parts of JSON Schema that settings use. */
interface JsonProperty {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly anyOf?: readonly JsonProperty[]
}

/** Fields of an object schema in its order; literals (the recipe's own name) are left out. */
export function settingFields(schema: z.ZodObject): SettingField[] {
  const json = z.toJSONSchema(schema, { io: 'input' })
  const properties = (json.properties ?? {}) as Record<string, JsonProperty>
  return Object.entries(properties).flatMap(([key, property]) => (property.const === undefined ? [settingField(key, property)] : []))
}

function settingField(key: string, property: JsonProperty): SettingField {
  const base = { key, label: settingLabel(key), description: property.description ?? null, defaultValue: property.default }
  if (property.enum) return { ...base, kind: 'choice', options: property.enum }
  const numbers = property.anyOf?.map((option) => option.const)
  if (numbers?.every((option) => typeof option === 'number')) return { ...base, kind: 'number-choice', options: numbers }
  switch (property.type) {
    case 'boolean':
      return { ...base, kind: 'switch' }
    case 'integer':
    case 'number':
      return {
        ...base,
        kind: 'number',
        integer: property.type === 'integer',
        min: property.minimum ?? property.exclusiveMinimum ?? null,
        max: property.maximum ?? property.exclusiveMaximum ?? null,
      }
    case 'array':
      return { ...base, kind: 'names' }
    case 'object':
      return { ...base, kind: 'record' }
    default:
      return { ...base, kind: 'text' }
  }
}

/** Written the way they are said. */
const spokenWords: Readonly<Record<string, string>> = { io: 'IO', fp16: 'FP16', int8: 'INT8', cpu: 'CPU', mse: 'MSE', warmup: 'warm-up' }

/** `keepIoTypes` → "Keep IO types". */
export function settingLabel(key: string): string {
  const words = key
    .split(/(?=[A-Z])/)
    .map((word) => word.toLowerCase())
    .map((word) => spokenWords[word] ?? word)
  const text = words.join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
