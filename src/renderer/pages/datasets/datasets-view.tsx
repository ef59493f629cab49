import { Button } from '@mantine/core'
import { IconPhoto } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import { useAction } from '../../backend/use-action.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { arrangeTree } from '../../components/sort-tree.ts'
import { SplitView } from '../../components/split-view.tsx'
import { useImportFiles } from '../../import/import-files.tsx'
import { DatasetDetail } from './dataset-detail.tsx'
import { DatasetsTable } from './datasets-table.tsx'

interface DatasetsViewProps {
  readonly query: UseQueryResult<Dataset[]>
  readonly filter: string
  readonly selectedId: string | null
}

/** The table of datasets beside the details of the selected one. */
export function DatasetsView({ query, filter, selectedId }: DatasetsViewProps) {
  const [, navigate] = useLocation()
  return (
    <AsyncView query={query}>
      {(datasets) => {
        if (datasets.length === 0) return <DatasetsEmpty />
        const word = filter.trim().toLowerCase()
        const found = datasets.filter(({ name, format, split }) => `${name} ${format} ${split ?? ''}`.toLowerCase().includes(word))
        const shown = arrangeTree(
          found,
          ({ id }) => id,
          ({ parentId }) => parentId,
        )
        const selected = datasets.find(({ id }) => id === selectedId) ?? shown[0]
        return (
          <SplitView
            name="datasets"
            listSize={36}
            list={<DatasetsTable datasets={shown} selectedId={selected?.id ?? null} onSelect={(id) => navigate(`/datasets/${id}`)} />}
            detail={selected ? <DatasetDetail key={selected.id} dataset={selected} datasets={datasets} /> : null}
          />
        )
      }}
    </AsyncView>
  )
}

function DatasetsEmpty() {
  const samples = useAction('samples.import')
  const { chooseDataset, chooseFolder } = useImportFiles()
  return (
    <EmptyPage
      Icon={IconPhoto}
      title="No datasets yet"
      testId="datasets-empty"
      actions={
        <>
          <Button size="sm" onClick={() => void chooseDataset()}>
            Import a file
          </Button>
          <Button size="sm" variant="default" onClick={() => void chooseFolder()}>
            Import a folder of images
          </Button>
          <Button size="sm" variant="default" onClick={() => samples.mutate({})} loading={samples.isPending}>
            Use the sample datasets
          </Button>
        </>
      }
    >
      A dataset holds samples (.npz, .npy, IDX, .csv, or a folder of images with one folder a class) and how they become model inputs.
      Labels are needed where accuracy is to be measured; calibration needs none. Files and folders can also be dropped anywhere on this
      window.
    </EmptyPage>
  )
}
