import type { Explanation, NodeTime } from '../../../contract/analysis.ts'
import type { Comparison } from '../../../contract/measurement.ts'
import { type Block, badge, cutTable, folded, heading, list, table, text } from '../blocks/report-block.ts'
import { formatMs, formatRatio } from '../quantities.ts'

/** Nodes listed. */
const MAX_NODES = 15

/** Why builds of a comparison are slower than its baseline, node by node; nothing when none is, or none was explained. */
export function slowerBlocks(comparison: Comparison): Block[] {
  const explained = comparison.rows.flatMap((row, index) => (row.explanation ? [{ row, index, explanation: row.explanation }] : []))
  if (explained.length === 0) return []
  return [
    heading(3, 'Why slower'),
    ...explained.flatMap(({ row, index, explanation }) => [
      heading(4, [badge(index), ` ${row.model}, ${formatRatio(row.speedup?.estimate)} the speed`]),
      ...explanationBlocks(explanation),
    ]),
  ]
}

/** What was found when a build was profiled beside its baseline. */
export function explanationBlocks({ findings, advice, nodes, kernels, baselineMs, buildMs }: Explanation): Block[] {
  const times = `${formatMs(buildMs)} against ${formatMs(baselineMs)} in the profile.`
  return [
    findings.length === 0
      ? text(`No single cause stands out: ${times}`)
      : list(
          findings.map(({ message, lostMs }) => (lostMs === null ? message : [message, ` (${formatMs(lostMs)})`])),
          { ordered: true },
        ),
    ...(advice === null ? [] : [text(advice)]),
    ...(nodes.length === 0 ? [] : [folded('Time by node', nodeTable(nodes))]),
    ...(kernels.length === 0 ? [] : [folded('Time by kernel', kernelTable(kernels))]),
  ]
}

function nodeTable(nodes: Explanation['nodes']): Block[] {
  return cutTable(
    ['node', '>baseline', '>build', '>lost', 'kernels'],
    nodes.map(({ node, baseline, build, lostMs }) => [
      node,
      formatMs(baseline?.ms),
      formatMs(build?.ms),
      formatMs(lostMs),
      `${kernelNames(baseline)} → ${kernelNames(build)}`,
    ]),
    MAX_NODES,
  )
}

function kernelTable(kernels: Explanation['kernels']): Block[] {
  return [
    table(
      ['kernel', '>baseline', '>build'],
      kernels.slice(0, MAX_NODES).map(({ kernel, baselineMs, buildMs }) => [kernel, formatMs(baselineMs), formatMs(buildMs)]),
    ),
  ]
}

function kernelNames(time: NodeTime | null): string {
  return time === null ? 'none' : time.kernels.join(', ')
}
