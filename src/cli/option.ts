import type { z } from 'zod'
import { readSetting, schemaFacts } from './schema-facts.ts'

export interface Flag {
  readonly kind: 'flag'
  readonly description: string
}

/** An option with a value; `read` throws an Error whose message continues `--name …`. */
export interface ValueOption<T> {
  readonly kind: 'value'
  readonly placeholder: string
  readonly description: string
  readonly required?: boolean
  readonly read: (text: string) => T
}

/** An option that may be given more than once. */
export interface RepeatedOption<T> extends Omit<ValueOption<T>, 'kind'> {
  readonly kind: 'repeated'
}

export type Option = Flag | ValueOption<unknown> | RepeatedOption<unknown>

/** What `run` of a command gets for its options. */
export type OptionValues<O extends Readonly<Record<string, Option>>> = {
  readonly [K in keyof O]: O[K] extends Flag
    ? boolean
    : O[K] extends RepeatedOption<infer T>
      ? readonly T[]
      : O[K] extends ValueOption<infer T> & { readonly required: true }
        ? T
        : O[K] extends ValueOption<infer T>
          ? T | undefined
          : never
}

export function flag(description: string): Flag {
  return { kind: 'flag', description }
}

/** An option whose value is taken as it is. */
export function text(placeholder: string, description: string): ValueOption<string> {
  return { kind: 'value', placeholder, description, read: (value) => value }
}

/** An option of the contract: description, default and limits come from its schema. */
export function setting<S extends z.ZodType>(placeholder: string, schema: S, description?: string): ValueOption<z.output<S>> {
  return {
    kind: 'value',
    placeholder,
    description: describeSetting(schema, description),
    read: (value) => readSetting(schema as z.ZodType<z.output<S>>, value),
  }
}

/** Several values of a setting separated by commas, each at most once. */
export function settingList<S extends z.ZodType>(
  placeholder: string,
  schema: S,
  description?: string,
): ValueOption<readonly z.output<S>[]> {
  const single = setting(placeholder, schema, description)
  return { ...single, read: (value) => [...new Set(value.split(',').map((part) => single.read(part.trim())))] }
}

export function required<T>(option: ValueOption<T>): ValueOption<T> & { readonly required: true } {
  return { ...option, required: true }
}

export function repeated<T>(option: ValueOption<T>): RepeatedOption<T> {
  return { ...option, kind: 'repeated' }
}

/** A setting in words: its description, choices and default. */
export function describeSetting(schema: z.ZodType, description?: string): string {
  const facts = schemaFacts(schema)
  const words = description ?? facts.description ?? ''
  const notes = [...(facts.choices ? [facts.choices.join(' | ')] : []), ...defaultNote(facts.defaultValue)]
  return notes.length > 0 ? `${words} (${notes.join('; ')})` : words
}

/** Empty lists and records say nothing. */
function defaultNote(value: unknown): string[] {
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)) return []
  return [`default ${value}`]
}
