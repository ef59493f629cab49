import { Button } from '@mantine/core'
import { IconFileImport } from '@tabler/icons-react'
import { useState } from 'react'
import { useCall } from '../../backend/use-call.ts'
import { FilterBox } from '../../components/filter-box.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { useImportFiles } from '../../import/import-files.tsx'
import { SamplesMenu } from '../../import/samples-menu.tsx'
import { ModelsView } from './models-view.tsx'

/** Models with the builds made from them. */
export function ModelsPage({ selectedId }: { readonly selectedId: string | null }) {
  const [filter, setFilter] = useState('')
  const { chooseModel } = useImportFiles()
  const models = useCall('models.list', {})
  return (
    <div className={pageClasses.page}>
      <PageHeader
        title="Models"
        actions={
          <Button.Group>
            <Button leftSection={<IconFileImport size={15} />} onClick={() => void chooseModel()} data-testid="import-model">
              Import model
            </Button>
            <SamplesMenu />
          </Button.Group>
        }
      >
        <FilterBox value={filter} onChange={setFilter} label="Filter models" hotkey />
      </PageHeader>
      <div className={pageClasses.body}>
        <ModelsView query={models} filter={filter} selectedId={selectedId} onImport={chooseModel} />
      </div>
    </div>
  )
}
