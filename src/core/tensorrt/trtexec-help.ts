/** One option as `trtexec --help` describes it. */
export interface TrtexecOption {
  /** The text after the option, continuation lines joined by spaces. */
  readonly description: string
  /** What stands in `(default = …)`. */
  readonly defaultValue: string | undefined
  /** The help says that it does nothing any more, or will go. */
  readonly deprecated: boolean
}

/** Options of one trtexec by name, with the dashes: `--onnx`. */
export type TrtexecHelp = ReadonlyMap<string, TrtexecOption>

/** The longest help so far has 30 kB in 300 lines; more than this is something else. */
const MOST_LINES = 5000
const LONGEST_LINE = 2000
const LONGEST_DESCRIPTION = 10_000

/** Options start a line, in the first columns: examples inside descriptions stand further right. */
const optionLine = /^ {1,4}(--[A-Za-z][\w-]*)(?:[= ][^\s,]+)?((?:, *--?[A-Za-z][\w-]*)*)(?:\s+(.*))?$/
const sectionLine = /^===.*===\s*$/

/**
 * Which options a trtexec has: it differs from version to version, and the help of the program at hand is the only list that is right.
 * Two names of one option (`--versionCompatible, --vc`) are entered both. Everything that is no option (banner, sections, log lines) is
 * passed over; a text without any option gives an empty map.
 */
export function readTrtexecHelp(text: string): TrtexecHelp {
  const options = new Map<string, TrtexecOption>()
  let names: string[] = []
  let description: string[] = []
  const close = () => {
    const whole = description.join(' ').slice(0, LONGEST_DESCRIPTION)
    const option = {
      description: whole,
      defaultValue: /\(default\s*=\s*([^()]*?)\s*\)/.exec(whole)?.[1],
      deprecated: /^\[deprecated\]/i.test(whole),
    }
    for (const name of names) if (!options.has(name)) options.set(name, option)
    names = []
    description = []
  }
  for (const raw of text.split('\n', MOST_LINES)) {
    const line = raw.slice(0, LONGEST_LINE).trimEnd()
    const found = optionLine.exec(line)
    if (found) {
      close()
      const more = (found[2] ?? '').split(',').map((name) => name.trim())
      names = [found[1] as string, ...more].filter((name) => name.startsWith('--'))
      description = [found[3]?.trim() ?? ''].filter((part) => part !== '')
    } else if (line.trim() === '' || sectionLine.test(line)) close()
    else if (names.length > 0) description.push(line.trim())
  }
  close()
  return options
}

/** Whether the option is there and still does something. */
export function hasOption(help: TrtexecHelp, name: string): boolean {
  const option = help.get(name)
  return option !== undefined && !option.deprecated
}
