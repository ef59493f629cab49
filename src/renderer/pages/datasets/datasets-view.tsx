import { Button } from '@mantine/core'
import { IconPhoto } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import { useAction } from '../../backend/use-action.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { DatasetDetail } from './dataset-detail.tsx'
import { DatasetsTable } from './datasets-table.tsx'

interface DatasetsViewProps {
  readonly query: UseQueryResult<Dataset[]>
  readonly filter: string
  readonly selectedId: string | null
  readonly onImport: () => Promise<void>
}

/** The table of datasets beside the details of the selected one. */
export function DatasetsView({ query, filter, selectedId, onImport }: DatasetsViewProps) {
  const [, navigate] = useLocation()
  const samples = useAction('samples.import')
  return (
    <AsyncView query={query}>
      {(datasets) => {
        if (datasets.length === 0) {
          return (
            <EmptyPage
              Icon={IconPhoto}
              title="No datasets yet"
              testId="datasets-empty"
              actions={
                <>
                  <Button size="sm" onClick={() => void onImport()}>
                    Import a dataset
                  </Button>
                  <Button size="sm" variant="default" onClick={() => samples.mutate({})} loading={samples.isPending}>
                    Use the sample datasets
                  </Button>
                </>
              }
            >
              A dataset holds samples in .npz or IDX files, with labels where accuracy is to be measured. Some recipes also need samples to
              calibrate with; those need no labels.
            </EmptyPage>
          )
        }
        const word = filter.trim().toLowerCase()
        const shown = datasets.filter(({ name, format }) => `${name} ${format}`.toLowerCase().includes(word))
        const selected = datasets.find(({ id }) => id === selectedId) ?? shown[0]
        return (
          <SplitView
            name="datasets"
            listSize={56}
            list={<DatasetsTable datasets={shown} selectedId={selected?.id ?? null} onSelect={(id) => navigate(`/datasets/${id}`)} />}
            detail={selected ? <DatasetDetail key={selected.id} dataset={selected} /> : null}
          />
        )
      }}
    </AsyncView>
  )
}
