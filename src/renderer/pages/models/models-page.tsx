import { Button, Tabs } from '@mantine/core'
import { IconFileImport } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useCall } from '../../backend/use-call.ts'
import { FilterBox } from '../../components/filter-box.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import tabClasses from '../../components/page-tabs.module.css'
import { DatasetImportDialog } from '../../import/dataset-import-dialog.tsx'
import type { DatasetPlan } from '../../import/import-plan.ts'
import { useChooseFiles } from '../../import/use-choose-files.ts'
import { DatasetsView } from '../datasets/datasets-view.tsx'
import { ModelsView } from './models-view.tsx'
import { SamplesMenu } from './samples-menu.tsx'

interface ModelsPageProps {
  readonly tab: 'models' | 'datasets'
  readonly selectedId: string | null
}

/** Models with their builds, and datasets in a second tab. */
export function ModelsPage({ tab, selectedId }: ModelsPageProps) {
  const [, navigate] = useLocation()
  const [filter, setFilter] = useState('')
  const [datasets, setDatasets] = useState<readonly DatasetPlan[]>([])
  const { chooseModel, chooseDataset } = useChooseFiles(setDatasets)
  const models = useCall('models.list', {})
  const stored = useCall('datasets.list', {})
  const choose = tab === 'models' ? chooseModel : chooseDataset
  const [plan, ...rest] = datasets
  return (
    <div className={pageClasses.page}>
      <PageHeader
        title="Models"
        actions={
          <Button.Group>
            <Button
              leftSection={<IconFileImport size={15} />}
              onClick={() => void choose()}
              data-testid={tab === 'models' ? 'import-model' : 'import-dataset'}
            >
              {tab === 'models' ? 'Import model' : 'Import dataset'}
            </Button>
            <SamplesMenu />
          </Button.Group>
        }
      >
        <Tabs
          value={tab}
          onChange={(value) => navigate(`/${value}`)}
          variant="pills"
          classNames={{ tab: tabClasses.tab }}
          aria-label="Kind"
        >
          <Tabs.List>
            <Tabs.Tab value="models" data-testid="tab-models">
              Models and builds{models.data ? ` (${models.data.length})` : ''}
            </Tabs.Tab>
            <Tabs.Tab value="datasets" data-testid="tab-datasets">
              Datasets{stored.data ? ` (${stored.data.length})` : ''}
            </Tabs.Tab>
          </Tabs.List>
        </Tabs>
        <FilterBox value={filter} onChange={setFilter} label={tab === 'models' ? 'Filter models' : 'Filter datasets'} hotkey />
      </PageHeader>
      <div className={pageClasses.body}>
        {tab === 'models' ? (
          <ModelsView query={models} filter={filter} selectedId={selectedId} onImport={chooseModel} />
        ) : (
          <DatasetsView query={stored} filter={filter} selectedId={selectedId} onImport={chooseDataset} />
        )}
      </div>
      {plan ? <DatasetImportDialog key={plan.path} plan={plan} onClose={() => setDatasets(rest)} /> : null}
    </div>
  )
}
