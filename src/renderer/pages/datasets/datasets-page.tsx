import { Button, Menu } from '@mantine/core'
import { IconFileImport, IconFolderOpen } from '@tabler/icons-react'
import { useState } from 'react'
import { useCall } from '../../backend/use-call.ts'
import { FilterBox } from '../../components/filter-box.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { useImportFiles } from '../../import/import-files.tsx'
import { SamplesMenu } from '../../import/samples-menu.tsx'
import { DatasetsView } from './datasets-view.tsx'

/** Datasets, their samples, and how these become model inputs. */
export function DatasetsPage({ selectedId }: { readonly selectedId: string | null }) {
  const [filter, setFilter] = useState('')
  const { chooseDataset, chooseFolder } = useImportFiles()
  const datasets = useCall('datasets.list', {})
  return (
    <div className={pageClasses.page}>
      <PageHeader
        title="Datasets"
        actions={
          <Button.Group>
            <Button leftSection={<IconFileImport size={15} />} onClick={() => void chooseDataset()} data-testid="import-dataset">
              Import dataset
            </Button>
            <SamplesMenu>
              <Menu.Item
                leftSection={<IconFolderOpen size={15} stroke={1.6} />}
                onClick={() => void chooseFolder()}
                data-testid="import-folder"
              >
                Import a folder of images…
              </Menu.Item>
            </SamplesMenu>
          </Button.Group>
        }
      >
        <FilterBox value={filter} onChange={setFilter} label="Filter datasets" hotkey />
      </PageHeader>
      <div className={pageClasses.body}>
        <DatasetsView query={datasets} filter={filter} selectedId={selectedId} />
      </div>
    </div>
  )
}
