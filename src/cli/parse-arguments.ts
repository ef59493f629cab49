import { parseArgs } from 'node:util'
import { EdgesmithError } from '../contract/errors.ts'
import type { Command } from './command.ts'
import { flag, type Option, text } from './option.ts'
import { closest } from './suggestion.ts'

/** Options every command takes. */
export const globalOptions = {
  json: flag('print one JSON document on standard output and nothing else'),
  workspace: text('DIR', 'folder of the workspace (default: EDGESMITH_WORKSPACE, or the place for application data)'),
  help: flag('show this help'),
  version: flag('show the version'),
} as const satisfies Record<string, Option>

/** Values of one command line, by the names of the command's options and arguments. */
export interface ParsedArguments {
  readonly options: Readonly<Record<string, unknown>>
  readonly positionals: Readonly<Record<string, unknown>>
}

/**
 * The words before the first option's end that name the command, and everything else in order. Global options may stand before the command.
 * One or two words are taken, as the table has them: `device add` before `device`.
 */
export function splitCommand(
  args: readonly string[],
  commands: readonly Command[],
): { command: Command | undefined; name: string; rest: string[] } {
  const words: number[] = []
  for (let index = 0; index < args.length && words.length < 2; index++) {
    const arg = args[index] as string
    if (arg === '--') break
    if (arg === '--workspace') index++
    else if (!arg.startsWith('-')) words.push(index)
    // An option that is not global ends the search: what follows may be its value.
    else if (!Object.hasOwn(globalOptions, arg.replace(/^--/, '').replace(/=.*/, ''))) break
  }
  for (const count of [2, 1]) {
    const used = words.slice(0, count)
    if (used.length < count) continue
    const name = used.map((index) => args[index]).join(' ')
    const command = commands.find((candidate) => candidate.name === name)
    if (command) return { command, name, rest: args.filter((_, index) => !used.includes(index)) }
  }
  return { command: undefined, name: words.length > 0 ? (args[words[0] as number] as string) : '', rest: [...args] }
}

/**
 * Reads the arguments of a command against its table of options.
 *
 * @throws EdgesmithError `USAGE` naming the option or argument, what was expected and what was found
 */
export function parseArguments(command: Command, args: readonly string[]): ParsedArguments {
  const declared: Readonly<Record<string, Option>> = { ...command.options, ...globalOptions }
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(declared).map(([name, option]) => [
        name,
        { type: option.kind === 'flag' ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const options: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(declared))
    options[name] = option.kind === 'flag' ? false : option.kind === 'repeated' ? [] : undefined
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    else if (token.kind === 'option') takeOption(command, declared, options, token)
  }
  for (const [name, option] of Object.entries(declared)) {
    if (option.kind === 'value' && option.required && options[name] === undefined) {
      throw usage(command, `${command.name} needs --${name} ${option.placeholder} (${option.description})`)
    }
  }
  return { options, positionals: namePositionals(command, words) }
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function takeOption(
  command: Command,
  declared: Readonly<Record<string, Option>>,
  options: Record<string, unknown>,
  token: OptionToken,
): void {
  const shown = token.rawName
  const option = shown.startsWith('--') && Object.hasOwn(declared, token.name) ? declared[token.name] : undefined
  if (!option) {
    const match = closest(token.name, Object.keys(declared))
    throw usage(command, `${command.name} has no option ${shown}`, match && `Did you mean --${match}?`)
  }
  if (option.kind === 'flag') {
    if (token.value !== undefined) throw usage(command, `${shown} takes no value, found "${token.value}"`)
    options[token.name] = true
    return
  }
  if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
    throw usage(command, `${shown} needs a value: ${shown} ${option.placeholder}`)
  }
  const value = readValue(command, shown, option.read, token.value)
  if (option.kind === 'repeated') options[token.name] = [...(options[token.name] as unknown[]), value]
  else if (options[token.name] !== undefined) throw usage(command, `${shown} is given twice`)
  else options[token.name] = value
}

function readValue(command: Command, shown: string, read: (text: string) => unknown, value: string): unknown {
  try {
    return read(value)
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    throw usage(command, `${shown} ${error instanceof Error ? error.message : String(error)}`)
  }
}

function namePositionals(command: Command, words: readonly string[]): Record<string, string | readonly string[]> {
  const named: Record<string, string | readonly string[]> = {}
  let next = 0
  for (const [name, { many, description }] of Object.entries(command.positionals)) {
    if (next >= words.length) throw usage(command, `${command.name} needs <${name}>: ${description}`)
    named[name] = many ? words.slice(next) : (words[next] as string)
    next = many ? words.length : next + 1
  }
  if (next < words.length)
    throw usage(
      command,
      `${command.name} takes ${next === 0 ? 'no arguments' : `${next} argument${next > 1 ? 's' : ''}`}, "${words[next]}" is one too many`,
    )
  return named
}

function usage(command: Command, message: string, suggestion?: string): EdgesmithError {
  const help = `edgesmith ${command.name} --help shows how it is used.`
  return new EdgesmithError('USAGE', message, { hint: suggestion ? `${suggestion} ${help}` : help })
}
