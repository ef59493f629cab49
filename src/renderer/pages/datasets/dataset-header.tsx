import { ActionIcon, Button, Menu } from '@mantine/core'
import { IconDots, IconPencil, IconSlice, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { Link } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import { DetailHeader } from '../../components/detail-header.tsx'
import { RenameDialog } from '../../components/rename-dialog.tsx'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { labelsText } from './labels-text.ts'
import { RemoveDatasetDialog } from './remove-dataset-dialog.tsx'
import { SplitDialog } from './split-dialog.tsx'

interface DatasetHeaderProps {
  readonly dataset: Dataset
  readonly datasets: readonly Dataset[]
}

/** Name, where it comes from, and what can be done with a dataset. */
export function DatasetHeader({ dataset, datasets }: DatasetHeaderProps) {
  const [dialog, setDialog] = useState<'split' | 'rename' | 'remove' | null>(null)
  const close = () => setDialog(null)
  const parent = datasets.find(({ id }) => id === dataset.parentId)
  return (
    <>
      <DetailHeader
        title={dataset.name}
        subtitle={
          <>
            <span>{formatCounted(dataset.report.samples, 'sample')}</span>
            <span>{labelsText(dataset.report) ?? 'no labels'}</span>
            {parent ? (
              <span>
                {dataset.split ? `${plainText(dataset.split, 40)} part of ` : 'part of '}
                <Link href={`/datasets/${parent.id}`}>{plainText(parent.name, 60)}</Link>
              </span>
            ) : null}
          </>
        }
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconSlice size={14} aria-hidden />}
              onClick={() => setDialog('split')}
              data-testid="dataset-split"
            >
              Split…
            </Button>
            <Menu position="bottom-end" width={180}>
              <Menu.Target>
                <ActionIcon variant="default" size={30} aria-label="More" data-testid="dataset-more">
                  <IconDots size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconPencil size={14} />} onClick={() => setDialog('rename')} data-testid="dataset-rename">
                  Rename…
                </Menu.Item>
                <Menu.Divider />
                <Menu.Item
                  color="red"
                  leftSection={<IconTrash size={14} />}
                  onClick={() => setDialog('remove')}
                  data-testid="dataset-remove"
                >
                  Remove…
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        }
      />
      {dialog === 'split' ? <SplitDialog dataset={dataset} onClose={close} /> : null}
      {dialog === 'rename' ? <RenameDialog procedure="datasets.rename" subject={dataset} onClose={close} /> : null}
      {dialog === 'remove' ? <RemoveDatasetDialog dataset={dataset} datasets={datasets} onClose={close} /> : null}
    </>
  )
}
