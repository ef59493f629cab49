import type { Command } from './command.ts'
import type { Option } from './option.ts'
import { globalOptions } from './parse-arguments.ts'

const WIDTH = 100

/** The overview: every command with its summary. */
export function overviewHelp(commands: readonly Command[]): string {
  return [
    'edgesmith compresses neural networks, measures them on the device and serves them there.',
    '',
    'Usage: edgesmith <command> … [--json]',
    '',
    'Commands:',
    ...columns(commands.map((command) => [signature(command), command.summary])),
    '',
    'Options of every command:',
    ...columns(optionRows(globalOptions)),
    '',
    'A model is a path of an .onnx file, or the name or id of a model or build in the workspace. A dataset is a path (.npz, .npy,',
    '.csv, an IDX file or a folder of images) or a name. A device is a name; this-computer is always there.',
    'Exit codes: 0 done; 1 the work failed or a limit was missed; 2 wrong usage or unusable input.',
    'edgesmith <command> --help tells more.',
  ].join('\n')
}

/** Everything about one command. */
export function commandHelp(command: Command): string {
  const positionals = Object.entries(command.positionals).map(
    ([name, { description, many }]) => [`<${name}>${many ? '…' : ''}`, description] as const,
  )
  return [
    command.summary,
    '',
    `Usage: edgesmith ${signature(command)}${Object.keys(command.options).length > 0 ? ' [options]' : ''}`,
    ...section('Arguments', positionals),
    ...section('Options', optionRows({ ...command.options, ...globalOptions })),
    ...(command.sections?.() ?? []).flatMap(({ title, rows }) => section(title, rows)),
    ...(command.notes ?? []).flatMap((note) => ['', ...wrap(note, WIDTH)]),
    '',
    `Example${command.examples.length > 1 ? 's' : ''}:`,
    ...command.examples.map((example) => `  edgesmith ${example}`),
  ].join('\n')
}

/** Commands that begin with a word, for `edgesmith device`. */
export function groupHelp(word: string, commands: readonly Command[]): string {
  const group = commands.filter(({ name }) => name.startsWith(`${word} `))
  return [`Usage: edgesmith ${word} <command> …`, '', ...columns(group.map((command) => [signature(command), command.summary]))].join('\n')
}

function signature({ name, positionals, options }: Command): string {
  const words = Object.entries(positionals).map(([positional, { many }]) => `<${positional}>${many ? '…' : ''}`)
  const needed = Object.entries(options).flatMap(([option, declared]) =>
    declared.kind === 'value' && declared.required ? [`--${option} ${declared.placeholder}`] : [],
  )
  return [name, ...words, ...needed].join(' ')
}

function optionRows(options: Readonly<Record<string, Option>>): (readonly [string, string])[] {
  return Object.entries(options).map(([name, option]) => {
    const value = option.kind === 'flag' ? '' : ` ${option.placeholder}`
    return [`--${name}${value}`, option.kind === 'repeated' ? `${option.description}; may be given more than once` : option.description]
  })
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return rows.length > 0 ? ['', `${title}:`, ...columns(rows)] : []
}

/** Terms on the left, wrapped descriptions on the right; a term that is too long gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const left = Math.min(36, Math.max(...rows.map(([term]) => term.length)))
  return rows.flatMap(([term, description]) => {
    const [first = '', ...rest] = wrap(description, WIDTH - left - 4)
    const indent = ' '.repeat(left + 4)
    const head = term.length > left ? [`  ${term}`, `${indent}${first}`] : [`  ${term.padEnd(left)}  ${first}`]
    return [...head, ...rest.map((line) => `${indent}${line}`)]
  })
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
