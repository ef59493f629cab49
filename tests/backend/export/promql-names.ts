/** Words of PromQL that are no metrics. Source: Prometheus documentation, "Operators". */
const words = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'and', 'or', 'unless', 'bool', 'offset', 'atan2'])

/** Names of metrics and labels in an expression. */
export function promqlNames(expression: string): { readonly metrics: readonly string[]; readonly labels: readonly string[] } {
  const labels: string[] = []
  const rest = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{([^}]*)\}/g, (_, matchers: string) => {
      for (const [, label] of matchers.matchAll(/([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)/g)) labels.push(label as string)
      return ''
    })
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, names: string) => {
      labels.push(...names.split(',').map((name) => name.trim()))
      return ''
    })
  const metrics = [...rest.matchAll(/[A-Za-z_:][\w:]*(?!\w*\s*\()/g)].map(([name]) => name).filter((name) => !words.has(name))
  return { metrics: [...new Set(metrics)], labels: [...new Set(labels)] }
}
