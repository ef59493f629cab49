import { Tabs } from '@mantine/core'
import { useState } from 'react'
import type { Dataset } from '../../../contract/dataset.ts'
import classes from './dataset-detail.module.css'
import { DatasetHeader } from './dataset-header.tsx'
import { DatasetOverview } from './dataset-overview.tsx'
import { DuplicatesTab } from './duplicates-tab.tsx'
import { PreprocessingTab } from './preprocessing-tab.tsx'
import { SamplesTab } from './samples-tab.tsx'

interface DatasetDetailProps {
  readonly dataset: Dataset
  readonly datasets: readonly Dataset[]
}

type DetailTab = 'overview' | 'samples' | 'preprocessing' | 'duplicates'

/** Stays the same while going from dataset to dataset: who compares samples wants samples. */
let lastTab: DetailTab = 'overview'

/** Everything known about a dataset. */
export function DatasetDetail({ dataset, datasets }: DatasetDetailProps) {
  const [tab, setTab] = useState<DetailTab>(lastTab)
  return (
    <div className={classes.detail} data-testid="dataset-detail">
      <DatasetHeader dataset={dataset} datasets={datasets} />
      <Tabs
        value={tab}
        onChange={(value) => {
          lastTab = (value ?? 'overview') as DetailTab
          setTab(lastTab)
        }}
        classNames={{ root: classes.tabs, list: classes.list, panel: classes.panel }}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="overview" data-testid="tab-overview">
            Overview
          </Tabs.Tab>
          <Tabs.Tab value="samples" data-testid="tab-samples">
            Samples
          </Tabs.Tab>
          <Tabs.Tab value="preprocessing" data-testid="tab-preprocessing">
            Preprocessing
          </Tabs.Tab>
          <Tabs.Tab value="duplicates" data-testid="tab-duplicates">
            Duplicates
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview">
          <DatasetOverview dataset={dataset} />
        </Tabs.Panel>
        <Tabs.Panel value="samples">
          <SamplesTab dataset={dataset} />
        </Tabs.Panel>
        <Tabs.Panel value="preprocessing">
          <PreprocessingTab dataset={dataset} />
        </Tabs.Panel>
        <Tabs.Panel value="duplicates">
          <DuplicatesTab dataset={dataset} datasets={datasets} />
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}
