import { Tabs } from '@mantine/core'
import { useState } from 'react'
import type { Model } from '../../../contract/model.ts'
import { useCall } from '../../backend/use-call.ts'
import { BuildSummary } from '../../build/build-summary.tsx'
import detailClasses from '../../components/detail.module.css'
import { formatCount } from '../../format/numbers.ts'
import classes from './model-detail.module.css'
import { ModelHeader } from './model-header.tsx'
import { ModelMetadata } from './model-metadata.tsx'
import { ModelOverview } from './model-overview.tsx'
import { NodeList } from './node-list.tsx'
import { SensitivityTab } from './sensitivity-tab.tsx'

interface ModelDetailProps {
  readonly model: Model
  readonly models: readonly Model[]
}

/** Everything known about a model or build. */
export function ModelDetail({ model, models }: ModelDetailProps) {
  const [tab, setTab] = useState<string | null>(model.summary ? 'build' : 'overview')
  // Nodes are only fetched when they are looked at: they can be 20,000 lines.
  const inspected = useCall('models.inspect', { id: model.id }, { enabled: tab === 'nodes' })
  return (
    <div className={classes.detail} data-testid="model-detail">
      <ModelHeader model={model} models={models} />
      <Tabs value={tab} onChange={setTab} classNames={{ root: classes.tabs, list: classes.list, panel: classes.panel }} keepMounted={false}>
        <Tabs.List>
          {model.summary ? <Tabs.Tab value="build">Build</Tabs.Tab> : null}
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          <Tabs.Tab value="nodes">Nodes ({formatCount(model.report.nodeCount)})</Tabs.Tab>
          {isFloat(model) ? (
            <Tabs.Tab value="sensitivity" data-testid="tab-sensitivity">
              Sensitivity
            </Tabs.Tab>
          ) : null}
          <Tabs.Tab value="metadata">Metadata</Tabs.Tab>
        </Tabs.List>
        {model.summary ? (
          <Tabs.Panel value="build">
            <div className={detailClasses.sections}>
              <BuildSummary summary={model.summary} recipe={model.recipe} />
            </div>
          </Tabs.Panel>
        ) : null}
        <Tabs.Panel value="overview" tabIndex={0}>
          <ModelOverview model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="nodes" className={classes.nodes}>
          <NodeList query={inspected} />
        </Tabs.Panel>
        <Tabs.Panel value="sensitivity">
          <SensitivityTab model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="metadata" tabIndex={0}>
          <ModelMetadata model={model} />
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}

/** Quantizing is only a question for models with float weights. */
function isFloat({ report }: Model): boolean {
  return (report.weightTypes.float32 ?? 0) > 0
}
