import type { ParityResult } from '../../../contract/parity.ts'
import { type Block, chip, cutTable, facts, list, table, text } from '../blocks/report-block.ts'
import { formatCounted, formatDecibels, formatPercent, formatShape, formatSignificant, NOTHING } from '../quantities.ts'
import { noiseChart } from './layers-section.ts'

/** Layers listed: those that lose most. */
const MAX_LAYERS = 40

/** A build's outputs on a device against this computer's. */
export function parityBlocks(result: ParityResult): Block[] {
  const { samples, inputs, outputs, top1Agreement, layers, suspects, verdict, reason, advice, here, there, warnings } = result
  const worst = [...layers].sort((a, b) => (b.lostDb ?? -1e9) - (a.lostDb ?? -1e9))
  return [
    text([chip(verdict, verdict === 'different' ? 'bad' : 'good'), ` ${reason}`]),
    facts([
      ['compared on', `${formatCounted(samples, 'sample')} of ${inputs}`],
      ['the device', `${there.machine}: ${there.cpu} (${there.architecture}), ONNX Runtime ${there.onnxRuntimeVersion}`],
      ['this computer', `${here.machine}: ${here.cpu} (${here.architecture}), ONNX Runtime ${here.onnxRuntimeVersion}`],
      ...(top1Agreement === null ? [] : [['same class', `${formatPercent(top1Agreement)} of the samples`] as const]),
    ]),
    ...(warnings.length > 0 ? [list(warnings, { tone: 'warning' })] : []),
    table(
      ['output', 'shape', '>signal to noise', '>cosine', '>largest difference', '>mean difference'],
      outputs.map(({ name, shape, sqnrDb, cosine, maxAbsDiff, meanAbsDiff }) => [
        name,
        formatShape(shape),
        distanceText({ sqnrDb, maxAbsDiff }),
        cosine === null ? NOTHING : cosine.toFixed(6),
        formatSignificant(maxAbsDiff),
        formatSignificant(meanAbsDiff),
      ]),
    ),
    ...(suspects.length > 0
      ? [
          text('Most likely responsible:'),
          list(
            suspects.map(({ layer, op, message }) => `${layer} (${op}): ${message}`),
            { ordered: true },
          ),
        ]
      : []),
    ...(advice === null ? [] : [text(advice)]),
    ...noiseChart(
      layers,
      'Signal to noise of the device’s tensors against this computer’s, layer by layer; more than 80 dB is drawn as 80.',
    ),
    ...(layers.length > 0
      ? cutTable(
          ['layer', 'operator', '>signal to noise', '>lost here', '>largest difference'],
          worst.map(({ layer, op, sqnrDb, maxAbsDiff, lostDb }) => [
            layer,
            op,
            distanceText({ sqnrDb, maxAbsDiff }),
            lostDb === null ? NOTHING : formatDecibels(lostDb),
            formatSignificant(maxAbsDiff),
          ]),
          MAX_LAYERS,
        )
      : []),
  ]
}

/** Signal to noise, `identical`, or `not comparable` where values are not finite on one machine. */
export function distanceText({ sqnrDb, maxAbsDiff }: { readonly sqnrDb: number | null; readonly maxAbsDiff: number | null }): string {
  if (sqnrDb !== null) return formatDecibels(sqnrDb)
  return maxAbsDiff === 0 ? formatDecibels(null) : 'not comparable'
}
