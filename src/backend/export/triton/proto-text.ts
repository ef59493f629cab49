/** A value of a protobuf text file: enum names are given by {@link enumName}, so that they are not quoted. */
export type ProtoValue = string | number | boolean | EnumName | ProtoMessage | readonly ProtoValue[]

/** Fields in the order they are written; those that are undefined are left out. */
export interface ProtoMessage {
  readonly [field: string]: ProtoValue | undefined
}

class EnumName {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

export function enumName(name: string): ProtoValue {
  return new EnumName(name)
}

/**
 * A message in protobuf's text format. Lists of numbers and enum names are written in brackets, other lists as repeated fields.
 * Source: https://protobuf.dev/reference/protobuf/textformat-spec/
 */
export function protoText(message: ProtoMessage): string {
  return fieldLines(message, '')
    .map((line) => `${line}\n`)
    .join('')
}

function fieldLines(message: ProtoMessage, indent: string): string[] {
  return Object.entries(message).flatMap(([field, value]) => {
    if (value === undefined) return []
    if (!isList(value)) return valueLines(field, value, indent)
    const scalars = value.every((each) => typeof each === 'number')
    return scalars
      ? [`${indent}${field}: [${value.length > 0 ? ` ${value.join(', ')} ` : ''}]`]
      : value.flatMap((each) => valueLines(field, each, indent))
  })
}

function valueLines(field: string, value: ProtoValue, indent: string): string[] {
  if (value instanceof EnumName) return [`${indent}${field}: ${value.name}`]
  if (typeof value === 'string') return [`${indent}${field}: ${quoted(value)}`]
  if (typeof value === 'object') return [`${indent}${field} {`, ...fieldLines(value as ProtoMessage, `${indent}  `), `${indent}}`]
  return [`${indent}${field}: ${value}`]
}

function isList(value: ProtoValue): value is readonly ProtoValue[] {
  return Array.isArray(value)
}

/** Everything but printable ASCII as octal bytes of UTF-8, which every reader takes. */
function quoted(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  const escaped = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte)
    if (character === '"' || character === '\\') return `\\${character}`
    return byte >= 0x20 && byte < 0x7f ? character : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `"${escaped.join('')}"`
}
