import {
  IconAdjustmentsBolt,
  IconBox,
  IconChartDots,
  IconCloudUpload,
  IconCpu,
  IconFileAnalytics,
  IconPhoto,
  IconStopwatch,
} from '@tabler/icons-react'

/** A page of the left navigation. */
export interface AppSection {
  readonly name: 'models' | 'datasets' | 'optimize' | 'benchmarks' | 'compare' | 'devices' | 'deployments' | 'reports'
  readonly label: string
  readonly Icon: typeof IconBox
}

/** The pages in the order of the work; Ctrl+1 to Ctrl+8 follow it. */
export const sections: readonly AppSection[] = [
  { name: 'models', label: 'Models', Icon: IconBox },
  { name: 'datasets', label: 'Datasets', Icon: IconPhoto },
  { name: 'optimize', label: 'Optimize', Icon: IconAdjustmentsBolt },
  { name: 'benchmarks', label: 'Benchmarks', Icon: IconStopwatch },
  { name: 'compare', label: 'Compare', Icon: IconChartDots },
  { name: 'devices', label: 'Devices', Icon: IconCpu },
  { name: 'deployments', label: 'Deployments', Icon: IconCloudUpload },
  { name: 'reports', label: 'Reports', Icon: IconFileAnalytics },
]
