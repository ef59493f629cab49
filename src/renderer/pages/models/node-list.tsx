import type { UseQueryResult } from '@tanstack/react-query'
import { useState } from 'react'
import type { ModelReport } from '../../../contract/model.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { FilterBox } from '../../components/filter-box.tsx'
import { LongTable } from '../../components/long-table.tsx'
import { formatCount, formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'
import classes from './node-list.module.css'

const header = (
  <>
    <th scope="col">Node</th>
    <th scope="col" className={classes.operator}>
      Operator
    </th>
    <th scope="col" className={classes.shape}>
      Output shape
    </th>
    <th scope="col" className={`${classes.number} ${classes.roomy}`}>
      Parameters
    </th>
    <th scope="col" className={classes.number}>
      MACs
    </th>
  </>
)

/** All nodes in the order of the graph, with a filter over names and operators. */
export function NodeList({ query }: { query: UseQueryResult<ModelReport> }) {
  const [filter, setFilter] = useState('')
  const word = filter.trim().toLowerCase()
  return (
    <AsyncView query={query}>
      {(report) => {
        const rows = word ? report.nodes.filter(({ name, op }) => `${name} ${op}`.toLowerCase().includes(word)) : report.nodes
        const listed = report.nodesTruncated ? `, the first ${formatCount(report.nodes.length)} are listed` : ''
        return (
          <>
            <div className={classes.tools}>
              <FilterBox value={filter} onChange={setFilter} label="Filter nodes" />
              <span>
                {formatCount(rows.length)} of {formatCount(report.nodeCount)}
                {listed}
              </span>
            </div>
            <div className={classes.space}>
              <LongTable label="Nodes" header={header} rows={rows} rowHeight={26}>
                {(node) => (
                  <>
                    <td className="es-mono" title={plainText(node.name, 400)}>
                      {node.name ? plainText(node.name, 200) : <span className="es-dim">unnamed</span>}
                    </td>
                    <td title={node.domain ? plainText(`${node.domain}.${node.op}`) : undefined}>{plainText(node.op, 60)}</td>
                    <td className="es-dim">{formatShape(node.outputShape)}</td>
                    <td className={`${classes.number} ${classes.roomy}`}>{node.parameters > 0 ? formatLargeCount(node.parameters) : ''}</td>
                    <td className={classes.number}>{node.macs ? formatLargeCount(node.macs) : ''}</td>
                  </>
                )}
              </LongTable>
            </div>
          </>
        )
      }}
    </AsyncView>
  )
}
