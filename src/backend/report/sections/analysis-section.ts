import type { Analysis } from '../../../contract/analysis.ts'
import { type Block, heading, text } from '../blocks/report-block.ts'
import { accuracyBlocks } from './accuracy-section.ts'
import { explanationBlocks } from './explanation-section.ts'
import { layerBlocks } from './layers-section.ts'
import { parityBlocks } from './parity-section.ts'
import { profileBlocks } from './profile-section.ts'
import type { ReportNames } from './report-names.ts'

/** One analysis, under a title that says what it asks. */
export function analysisBlocks(analysis: Analysis, names: ReportNames): Block[] {
  const { createdAt, deviceId } = analysis
  return [
    heading(2, analysisTitle(analysis, names)),
    text(`On ${names.device(deviceId)}, ${createdAt}.`, 'soft'),
    ...contentOf(analysis, names),
  ]
}

/** The question an analysis answers. */
export function analysisTitle({ kind, modelId, baselineId, deviceId }: Analysis, names: ReportNames): string {
  const model = names.model(modelId)
  switch (kind) {
    case 'profile':
      return `Where the time of ${model} goes`
    case 'layers':
      return `${model} beside ${names.model(baselineId)}, layer by layer`
    case 'slowdown':
      return `Why ${model} takes the time it takes, beside ${names.model(baselineId)}`
    case 'accuracy':
      return `Where ${model} answers worse than ${names.model(baselineId)}`
    case 'parity':
      return `Outputs of ${model} on ${names.device(deviceId)} against this computer’s`
  }
}

function contentOf(analysis: Analysis, names: ReportNames): Block[] {
  switch (analysis.kind) {
    case 'profile':
      return profileBlocks(analysis.result)
    case 'layers':
      return layerBlocks(analysis.result)
    case 'slowdown':
      return explanationBlocks(analysis.result)
    case 'accuracy':
      return accuracyBlocks(analysis.result, analysis.datasetId, names)
    case 'parity':
      return parityBlocks(analysis.result)
  }
}
