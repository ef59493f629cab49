/** A metric as it was read. */
export interface ReadFamily {
  readonly help: string
  readonly type: string
  /** In order, by full name and labels. */
  readonly samples: { name: string; labels: Record<string, string>; value: number }[]
}

/**
 * Reads the text format 0.0.4 strictly: HELP and TYPE once before the values of a name, values of a name together, no value twice, buckets that
 * grow and end with +Inf, which equals the count. Throws where the text breaks a rule.
 */
export function readMetrics(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the text must end with a line break')
  const families = new Map<string, ReadFamily>()
  const seen = new Set<string>()
  let help: { name: string; text: string } | null = null
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const described = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line)
    const typed = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/.exec(line)
    if (described) help = { name: described[1] as string, text: described[2] as string }
    else if (typed) {
      const name = typed[1] as string
      if (help?.name !== name) throw new Error(`TYPE of ${name} without its HELP`)
      if (families.has(name)) throw new Error(`${name} comes twice`)
      families.set(name, { help: help.text, type: typed[2] as string, samples: [] })
      current = name
    } else {
      const sample = readSample(line)
      const family = families.get(current)
      const suffix = sample.name.slice(current.length)
      const allowed = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
      if (!family || !sample.name.startsWith(current) || !allowed.includes(suffix)) throw new Error(`${line} is not of ${current}`)
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
      if (seen.has(key)) throw new Error(`${key} comes twice`)
      seen.add(key)
      family.samples.push(sample)
    }
  }
  for (const [name, { type, samples }] of families) {
    if (samples.length === 0) throw new Error(`${name} has no value`)
    if (type === 'histogram') checkHistogram(name, samples)
    if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is a counter below 0`)
  }
  return families
}

function checkHistogram(name: string, samples: ReadFamily['samples']): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`)
  const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le)))
  const grows = (values: readonly number[], strictly: boolean) =>
    values.every(
      (value, index) => index === 0 || (strictly ? value > (values[index - 1] as number) : value >= (values[index - 1] as number)),
    )
  if (!grows(bounds, true) || bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name} has wrong bounds ${bounds}`)
  if (
    !grows(
      buckets.map(({ value }) => value),
      false,
    )
  )
    throw new Error(`${name} has buckets that shrink`)
  const count = samples.filter((sample) => sample.name === `${name}_count`)
  if (count.length !== 1 || count[0]?.value !== buckets.at(-1)?.value) throw new Error(`${name} has a wrong count`)
  if (samples.filter((sample) => sample.name === `${name}_sum`).length !== 1) throw new Error(`${name} has no sum`)
}

function readSample(line: string): ReadFamily['samples'][number] {
  const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$/s.exec(line)
  if (!found) throw new Error(`not a value: ${line}`)
  const [, name = '', labelText = '', number = ''] = found
  const labels: Record<string, string> = {}
  let rest = labelText
  while (rest !== '') {
    const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/s.exec(rest)
    if (!label) throw new Error(`not labels: ${labelText}`)
    const [whole, key = '', value = ''] = label
    if (Object.hasOwn(labels, key)) throw new Error(`label ${key} comes twice: ${line}`)
    labels[key] = value.replace(/\\(.)/gs, (_, character) => (character === 'n' ? '\n' : character))
    rest = rest.slice(whole.length)
  }
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : number === '-Inf' ? Number.NEGATIVE_INFINITY : Number(number)
  return { name, labels, value }
}
