import { IconAdjustmentsBolt, IconBox, IconChartDots, IconCloudUpload, IconCpu } from '@tabler/icons-react'

/** A page of the left navigation. */
export interface AppSection {
  readonly name: 'models' | 'optimize' | 'compare' | 'devices' | 'deployments'
  readonly label: string
  readonly Icon: typeof IconBox
}

/** The pages in the order of the work; Ctrl+1 to Ctrl+5 follow it. */
export const sections: readonly AppSection[] = [
  { name: 'models', label: 'Models', Icon: IconBox },
  { name: 'optimize', label: 'Optimize', Icon: IconAdjustmentsBolt },
  { name: 'compare', label: 'Compare', Icon: IconChartDots },
  { name: 'devices', label: 'Devices', Icon: IconCpu },
  { name: 'deployments', label: 'Deployments', Icon: IconCloudUpload },
]
