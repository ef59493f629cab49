import type { RegressionDetail } from '../../../contract/evaluation.ts'
import { type Block, cutTable, figure, table, text } from '../blocks/report-block.ts'
import { heatMap } from '../charts/heat-map.ts'
import { formatCount, formatCounted, formatInterval, formatSignificant } from '../quantities.ts'

/** Outputs listed. */
const MAX_OUTPUTS = 50

/** What lies behind an error: bias, residuals over what was predicted, and every output by itself. */
export function regressionBlocks({ width, bias, residuals, perOutput }: RegressionDetail): Block[] {
  const { predictedEdges, residualEdges, counts } = residuals
  const columns = predictedEdges.length - 1
  const rows = residualEdges.length - 1
  // Drawings count rows from the top, residuals from the lowest up.
  const fromTop = Array.from({ length: rows }, (_, row) => counts.slice((rows - 1 - row) * columns, (rows - row) * columns)).flat()
  const between = (edges: readonly number[], index: number) => formatSignificant(((edges[index] ?? 0) + (edges[index + 1] ?? 0)) / 2)
  return [
    text(`Bias (mean of predicted minus actual) ${formatSignificant(bias)}; ${formatCounted(width, 'value')} a sample.`),
    ...(columns > 0 && rows > 0
      ? [
          figure(
            heatMap({
              label: 'Residuals over predicted values',
              counts: fromTop,
              rowNames: Array.from({ length: rows }, (_, row) => between(residualEdges, rows - 1 - row)),
              columnNames: Array.from({ length: columns }, (_, column) => between(predictedEdges, column)),
              rowTitle: 'predicted − actual',
              columnTitle: 'predicted',
              full: 'largest',
            }),
            residualTable(residuals),
            { caption: 'How many values were predicted (to the right) with what error (up: too high).' },
          ),
        ]
      : []),
    ...(perOutput.length > 1
      ? cutTable(
          ['output', '>R²', '>mean absolute error', '>root mean square error', '>largest error'],
          perOutput.map(({ output, r2, mae, rmse, maxError }) => [
            formatCount(output),
            formatSignificant(r2),
            formatSignificant(mae),
            formatSignificant(rmse),
            formatSignificant(maxError),
          ]),
          MAX_OUTPUTS,
        )
      : []),
  ]
}

/** Residuals whatever was predicted. */
function residualTable({ residualEdges, counts, predictedEdges }: RegressionDetail['residuals']): Block {
  const columns = predictedEdges.length - 1
  return table(
    ['predicted − actual', '>values'],
    residualEdges
      .slice(0, -1)
      .map((low, row) => [
        formatInterval([low, residualEdges[row + 1] ?? low], formatSignificant),
        formatCount(counts.slice(row * columns, (row + 1) * columns).reduce((sum, count) => sum + count, 0)),
      ]),
  )
}
