import { formatCount, formatDecibels, formatPercent, formatShape, formatSignificant, NOTHING } from '../backend/report/quantities.ts'
import { distanceText } from '../backend/report/sections/parity-section.ts'
import type { ParityResult } from '../contract/parity.ts'
import { textTable } from './text-table.ts'

/** Layers for people; `--json` has them all. */
const MAX_LAYERS = 15

/** What `parity` prints: verdict, outputs, the layers that lose most, and what to do. */
export function parityText(model: string, device: string, result: ParityResult): string {
  const { samples, inputs, outputs, top1Agreement, layers, suspects, verdict, reason, advice, here, there, warnings } = result
  const losing = layers.filter(({ lostDb }) => lostDb !== null).sort((a, b) => b.lostDb! - a.lostDb!)
  return [
    `${model} on ${device} against this computer: ${verdict}. ${reason}`,
    `On ${formatCount(samples)} samples (${inputs}); ${there.cpu} (${there.architecture}) against ${here.cpu} (${here.architecture}).`,
    ...(top1Agreement === null ? [] : [`Same class for ${formatPercent(top1Agreement)} of the samples.`]),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
    textTable(
      [
        { title: 'output' },
        { title: 'shape' },
        { title: 'signal to noise', align: 'right' },
        { title: 'cosine', align: 'right' },
        { title: 'largest difference', align: 'right' },
        { title: 'mean difference', align: 'right' },
      ],
      outputs.map(({ name, shape, sqnrDb, cosine, maxAbsDiff, meanAbsDiff }) => [
        name,
        formatShape(shape),
        distanceText({ sqnrDb, maxAbsDiff }),
        cosine === null ? NOTHING : cosine.toFixed(6),
        formatSignificant(maxAbsDiff),
        formatSignificant(meanAbsDiff),
      ]),
    ),
    ...(losing.length === 0
      ? layers.length === 0
        ? []
        : ['', `Every one of ${formatCount(layers.length)} inner tensors is the same on both.`]
      : [
          '',
          `Layers that lose most, of ${formatCount(layers.length)}:`,
          textTable(
            [
              { title: 'layer' },
              { title: 'operator' },
              { title: 'signal to noise', align: 'right' },
              { title: 'lost here', align: 'right' },
              { title: 'largest difference', align: 'right' },
            ],
            losing
              .slice(0, MAX_LAYERS)
              .map(({ layer, op, sqnrDb, lostDb, maxAbsDiff }) => [
                layer,
                op,
                distanceText({ sqnrDb, maxAbsDiff }),
                formatDecibels(lostDb),
                formatSignificant(maxAbsDiff),
              ]),
          ),
        ]),
    ...(suspects.length > 0
      ? ['', 'Most likely responsible:', ...suspects.map(({ layer, op, message }, index) => `  ${index + 1}. ${layer} (${op}): ${message}`)]
      : []),
    ...(advice === null ? [] : ['', advice]),
  ].join('\n')
}
