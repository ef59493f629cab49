/** More names are no help. */
const MOST_NAMES = 20
/** How the parsers of TensorRT 7 to 11 name an operator they cannot take. */
const forms = [
  /No importer registered for op: ([\w.:]{1,100})/g,
  /While parsing node number \d+ \[([\w.:]{1,100})/g,
  /with name: .{0,300}? and operator: ([\w.:]{1,100})/g,
  /could not find plugin:? ([\w.:]{1,100})/g,
  /Cannot find plugin: ([\w.:]{1,100})/g,
  /Unsupported operator:? ([\w.:]{1,100})/gi,
]

/** Operators that the errors of trtexec name, each once. */
export function namedOperators(lines: readonly string[]): string[] {
  const names = new Set<string>()
  for (const line of lines) {
    for (const form of forms) for (const [, name] of line.matchAll(form)) if (name !== undefined) names.add(name.replace(/[.:]+$/, ''))
  }
  return [...names].slice(0, MOST_NAMES)
}
